/* main.c: the keyboard. The 8042 is tested, the keyboard behind it asked who it is, and
   then each key comes by IRQ 1, as bytes of scan code set 1, and is echoed. */
#include "irq.h"

#define DATA	0x60
#define STATUS	0x64 /* read */
#define COMMAND 0x64 /* write */

enum { OUTPUT_FULL = 1, INPUT_FULL = 2 }; /* bits of the status */

enum {
	READ_COMMAND_BYTE = 0x20, WRITE_COMMAND_BYTE = 0x60, SELF_TEST = 0xAA, TEST_KEYBOARD = 0xAB,
	KEYBOARD_OFF = 0xAD, KEYBOARD_ON = 0xAE,
};

enum { INTERRUPT = 0x01, TRANSLATE = 0x40 }; /* bits of the command byte */

enum { IDENTIFY = 0xF2, RESET = 0xFF }; /* commands of the keyboard */

enum { EXTENDED = 0xE0, RELEASED = 0x80, LEFT_SHIFT = 0x2A, RIGHT_SHIFT = 0x36 };

static void command(uint8_t value)
{
	while (inb(STATUS) & INPUT_FULL)
		;
	outb(COMMAND, value);
}

static void send(uint8_t value)
{
	while (inb(STATUS) & INPUT_FULL)
		;
	outb(DATA, value);
}

static uint8_t receive(void)
{
	while (!(inb(STATUS) & OUTPUT_FULL))
		;
	return inb(DATA);
}

/* ---- what the handler has received, for the main program to take ---- */

static volatile uint8_t codes[64];
static volatile unsigned received, interrupts;
static unsigned taken;

static void keyboard(struct trap *t)
{
	expect("the vector", t->vector, IRQ_VECTOR + IRQ_KEYBOARD);
	interrupts++;
	codes[received++ % sizeof codes] = inb(DATA); /* the line falls with this read */
	irq_end(IRQ_KEYBOARD);
}

static uint8_t next_code(void)
{
	while (taken == received)
		wait_for_interrupt();
	return codes[taken++ % sizeof codes];
}

/* ---- the chapters ---- */

static void set_command_byte(uint8_t bits)
{
	uint8_t value;

	command(READ_COMMAND_BYTE);
	value = receive() & ~(INTERRUPT | TRANSLATE);
	command(WRITE_COMMAND_BYTE);
	send(value | bits);
}

static void controller(void)
{
	uint8_t self, port;

	print("1. The controller\n");
	command(KEYBOARD_OFF); /* no scan code is taken for an answer */
	while (inb(STATUS) & OUTPUT_FULL)
		inb(DATA);
	command(SELF_TEST);
	self = receive();
	command(TEST_KEYBOARD);
	port = receive();
	print("  self test 0x%02lx, the keyboard's lines 0x%02lx\n", (word)self, (word)port);
	expect("the self test", self, 0x55);
	expect("the lines", port, 0x00);
	command(KEYBOARD_ON);
}

/* identify prints what the keyboard says it is: a keyboard of 101 keys. */
static void identify(const char *how, uint8_t bits, uint8_t last)
{
	uint8_t answer[3];

	set_command_byte(bits);
	send(IDENTIFY);
	for (int i = 0; i < 3; i++)
		answer[i] = receive();
	print("  %s: 0x%02lx 0x%02lx 0x%02lx\n", how, (word)answer[0], (word)answer[1], (word)answer[2]);
	expect("its last byte", answer[2], last);
}

static void ask(void)
{
	uint8_t heard, test;

	print("\n2. The keyboard\n");
	set_command_byte(0);
	send(RESET);
	heard = receive();
	test = receive();
	print("  reset: 0x%02lx, it has heard; 0x%02lx, its own test is good\n", (word)heard, (word)test);
	expect("the test", test, 0xAA);
	identify("who it is", 0, 0x83);
	identify("the same translated, as if from set 2 into set 1", TRANSLATE, 0x41);
}

/* The keys of a US keyboard from 0x01 on, plain and with shift; 0 gives no character. */
static const char plain[] = "\0" "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0" "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static void echo(void)
{
	int shift = 0, down = 0, up = 0, extended = 0;
	char c = 0;

	print("\n3. Each byte by IRQ 1, up to Enter\n> ");
	irq_init(); /* the answers were requests as well: they are forgotten */
	set_command_byte(TRANSLATE | INTERRUPT);
	irq_unmask(IRQ_KEYBOARD);
	while (c != '\n') {
		uint8_t code = next_code(), key = code & ~RELEASED;

		c = 0;
		if (code == EXTENDED) {
			extended = 1;
			continue;
		}
		if (!extended && (key == LEFT_SHIFT || key == RIGHT_SHIFT))
			shift = !(code & RELEASED);
		if (code & RELEASED) {
			up++;
		} else {
			down++;
			if (!extended && key && key < sizeof plain)
				c = (shift ? shifted : plain)[key - 1];
			if (c)
				print("%c", c);
			else if (key != LEFT_SHIFT && key != RIGHT_SHIFT)
				print(extended ? "<e0 %02lx>" : "<%02lx>", (word)key);
		}
		extended = 0;
	}
	while (up < down) /* Enter comes up */
		up += next_code() >> 7 & 1;
	print("  %d keys went down and came up; %d bytes, %d interrupts\n", down, (int)received, (int)interrupts);
	expect("what came up", up, down);
	expect("the interrupts", interrupts, received);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_irq(IRQ_KEYBOARD, keyboard);

	print("keyboard-echo-32: the 8042, its keyboard, and scan codes by interrupt\n\n");
	controller();
	ask();
	echo();
	exit_run(surprises != 0);
}
