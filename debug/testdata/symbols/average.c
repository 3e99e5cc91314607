/* A program with a bug, to be explained with names and source lines. Built by
 *
 *	gcc -m32 -O1 -g -ffreestanding -nostdlib -static -fno-pic -no-pie -fcf-protection=none \
 *	    -fno-asynchronous-unwind-tables -Wl,-Ttext=0x100000 -Wl,--build-id=none \
 *	    -ffile-prefix-map=$PWD=. -o average.elf average.c
 */
static int marks[] = {3, 1, 4, 1, 5};

__attribute__((noinline)) static int sum(const int *list, int n)
{
	int s = 0;
	for (int i = 0; i < n; i++)
		s += list[i];
	return s;
}

__attribute__((noinline)) int average(const int *list, int n)
{
	return sum(list, n) / n;
}

void _start(void)
{
	volatile int all = average(marks, 5);
	volatile int none = average(marks, 0); /* divides by zero */
	(void)all;
	(void)none;
}
