/* main.c: three rights beyond read, write and user. NX: a page is not for
   executing. SMEP: the kernel does not execute the user's pages. SMAP: it does
   not touch them either, except between STAC and CLAC. */
#include "layout.h"
#include "lib.h"

#define USER_CODE_PAGE USER_BASE		/* holds RET */
#define USER_DATA_PAGE (USER_BASE + PAGE)	/* holds 1234 */
#define NX_PAGE	       (USER_BASE + 2 * PAGE)	/* RET too, not for executing */
#define CR4_SMEP       (1ul << 20)
#define CR4_SMAP       (1ul << 21)

/* call_here and read_here come back also when they fault: the handler goes on
   at the labels behind. */
void call_here(word address);
word read_here(word address);
extern char call_end[], read_fault[], read_end[];
__asm__(
#ifdef __x86_64__
	"call_here: push %rbp; mov %rsp, %rbp; call *%rdi\n"
	"call_end: mov %rbp, %rsp; pop %rbp; ret\n"
	"read_here: xor %eax, %eax\n"
	"read_fault: mov (%rdi), %eax\n"
	"read_end: ret"
#else
	"call_here: push %ebp; mov %esp, %ebp; call *8(%ebp)\n"
	"call_end: mov %ebp, %esp; pop %ebp; ret\n"
	"read_here: mov 4(%esp), %edx; xor %eax, %eax\n"
	"read_fault: mov (%edx), %eax\n"
	"read_end: ret"
#endif
);

static word error_code; /* of the latest fault until tell has told it */

static void page_fault(struct trap *t)
{
	error_code = t->error;
	t->ip = (word)(t->ip == (word)read_fault ? read_end : call_end);
}

static void tell(const char *what, word predicted)
{
	print("  %s: ", what);
	if (error_code == 0)
		print("allowed\n");
	else
		print("#PF, error code %lu:%s%s%s\n", error_code, error_code & 1 ? " present" : " missing",
		      error_code & 4 ? ", by the user" : ", by the kernel", error_code & 16 ? ", a fetch" : ", a read");
	expect("the error code", error_code, predicted);
	error_code = 0;
}

static void try_call(const char *what, word address, word predicted)
{
	call_here(address);
	tell(what, predicted);
}

static void try_read(const char *what, word address, word predicted)
{
	word value = read_here(address);

	tell(what, predicted);
	expect("what it reads", value, predicted ? 0 : 1234);
}

static void set_cr4(word bits)
{
	word value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	value = (value & ~(CR4_SMEP | CR4_SMAP)) | bits;
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

static void need_features(void)
{
	uint32_t a = 0, b = 0, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (a >= 7) {
		a = 7, c = 0;
		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		if ((b >> 7 & b >> 20 & 1) == 1)
			return;
	}
	print("This processor has not both SMEP and SMAP.\n");
	exit_run(2);
}

void kernel_main(void)
{
	entry *table;
	char *code = alloc_page();
	int *data = alloc_page();

	console_init();
	segments_init();
	table = identity_table();
	*code = 0xC3;
	*data = 1234;
	map(table, USER_CODE_PAGE, (word)code, USER);
	map(table, USER_DATA_PAGE, (word)data, USER);
#ifdef __x86_64__
	map(table, NX_PAGE, (word)code, 1ul << 63);
#endif
	paging_on(table);
	on_trap(VECTOR_PF, page_fault);

	print("nx-smep-smap-%d: what the kernel itself may not do\n\n", (int)sizeof(word) * 8);
	need_features();
	print("1. NX\n");
#ifdef __x86_64__
	try_call("the kernel calls a page with bit 63 set", NX_PAGE, 0x11);
#else
	print("  An entry of 32 bits has no room for it. It takes PAE, or 64-bit mode.\n");
#endif
	print("\n2. SMEP, on a page of the user's\n");
	try_call("CR4.SMEP off: the kernel calls it", USER_CODE_PAGE, 0);
	set_cr4(CR4_SMEP);
	try_call("CR4.SMEP on:  the kernel calls it", USER_CODE_PAGE, 0x11);
	try_read("CR4.SMEP on:  the kernel reads another", USER_DATA_PAGE, 0);

	print("\n3. SMAP, on a page of the user's\n");
	set_cr4(CR4_SMAP);
	try_read("CR4.SMAP on:  the kernel reads it", USER_DATA_PAGE, 1);
	__asm__ volatile("stac");
	try_read("STAC, then:   the kernel reads it", USER_DATA_PAGE, 0);
	__asm__ volatile("clac");
	try_read("CLAC, then:   the kernel reads it", USER_DATA_PAGE, 1);
	set_cr4(0);
	try_read("CR4.SMAP off: the kernel reads it", USER_DATA_PAGE, 0);
	exit_run(surprises != 0);
}
