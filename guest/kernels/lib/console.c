/* console.c: a 16550 UART at COM1 without interrupts, a small print, a check
   of predictions, and the three ways by which different machines learn that a
   run is over. */
#include "lib.h"

#define COM1        0x3F8
#define LINE_STATUS (COM1 + 5)
#define CAN_SEND    0x20
#define ALL_SENT    0x40

void console_init(void)
{
	outb(0x21, 0xFF); /* both interrupt controllers: nothing may come in */
	outb(0xA1, 0xFF);
	outb(COM1 + 1, 0x00); /* no UART interrupts */
	outb(COM1 + 3, 0x80); /* the divisor: 115200 baud */
	outb(COM1 + 0, 0x01);
	outb(COM1 + 1, 0x00);
	outb(COM1 + 3, 0x03); /* 8 bits, no parity, one stop bit */
}

static void put(char c)
{
	while (!(inb(LINE_STATUS) & CAN_SEND))
		;
	outb(COM1, c);
}

static void put_number(word n, word base, int width, char pad)
{
	char digits[24];
	int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	for (; width > count; width--)
		put(pad);
	while (count)
		put(digits[--count]);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (const char *p = format; *p; p++) {
		if (*p != '%') {
			put(*p);
			continue;
		}
		char pad = ' ';
		int width = 0;
		if (*++p == '0')
			pad = '0';
		for (; *p >= '0' && *p <= '9'; p++)
			width = width * 10 + *p - '0';
		if (*p == 'l')
			p++;
		switch (*p) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put(va_arg(args, int));
			break;
		case 'd': {
			int n = va_arg(args, int);
			if (n < 0)
				put('-');
			put_number(n < 0 ? -(word)n : (word)n, 10, width, pad);
			break;
		}
		case 'u':
			put_number(va_arg(args, word), 10, width, pad);
			break;
		case 'x':
			put_number(va_arg(args, word), 16, width, pad);
			break;
		default:
			put(*p);
		}
	}
	va_end(args);
}

int surprises;

void expect(const char *what, word found, word predicted)
{
	if (found == predicted)
		return;
	print("SURPRISE: %s is 0x%lx and should be 0x%lx.\n", what, found, predicted);
	surprises++;
}

void exit_run(int code)
{
	while (!(inb(LINE_STATUS) & ALL_SENT))
		;
	outb(0xF4, code);
	for (const char *s = "Shutdown"; *s; s++)
		outb(0x8900, *s);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void copy(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	while (bytes--)
		*t++ = *f++;
}

/* gcc calls these two by itself for large copies and clears. */
void *memcpy(void *to, const void *from, size_t bytes)
{
	copy(to, from, bytes);
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	for (char *t = to; bytes--;)
		*t++ = value;
	return to;
}
