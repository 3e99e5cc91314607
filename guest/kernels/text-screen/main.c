/* main.c: the text screen. Mode 3 is set by hand, register by register; then
   text, cursor, scrolling, other sizes and a colour, and what the registers
   read back. */
#include "lib.h"

#define ATTRIBUTE   0x3C0 /* index and data by turns; 0x3C1 reads */
#define MISC	    0x3C2 /* 0x3CC reads */
#define SEQUENCER   0x3C4
#define DAC_READ    0x3C7
#define DAC_WRITE   0x3C8
#define DAC_DATA    0x3C9
#define GRAPHICS    0x3CE
#define CRTC	    0x3D4
#define STATUS	    0x3DA
#define DISPLAY_OFF 0x01 /* in STATUS: the beam is beside the picture */

#define COLUMNS 80
#define ROWS	25

/* Registers of the CRT controller. */
enum {
	LAST_COLUMN = 0x01, MAX_SCAN_LINE = 0x09, CURSOR_START = 0x0A, CURSOR_END = 0x0B,
	START = 0x0C, CURSOR = 0x0E, VERTICAL_SYNC_END = 0x11, OFFSET = 0x13,
};
#define PROTECT	   0x80 /* of VERTICAL_SYNC_END: registers 0 to 7 */
#define CURSOR_OFF 0x20 /* of CURSOR_START */

/* A cell: the character in the lower byte, the attribute above it. */
#define CELL(attribute, character) ((attribute) << 8 | (uint8_t)(character))
enum { LIGHT_GREY = 0x07, WHITE_ON_BLUE = 0x1F, YELLOW_ON_RED = 0x4E, BLINKING_RED = 0x84 };

static volatile uint16_t *const text = (volatile uint16_t *)0xB8000;

static uint8_t read_register(uint16_t port, uint8_t index)
{
	outb(port, index);
	return inb(port + 1);
}

static void write_register(uint16_t port, uint8_t index, uint8_t value)
{
	outb(port, index);
	outb(port + 1, value);
}

/* The attribute controller has one port for index and data. A read of the status
   makes the next write an index. Bit 5 of the index lets the picture be. */
static uint8_t read_attribute(uint8_t index)
{
	inb(STATUS);
	outb(ATTRIBUTE, index | 0x20);
	return inb(ATTRIBUTE + 1);
}

static void write_attribute(uint8_t index, uint8_t value)
{
	inb(STATUS);
	outb(ATTRIBUTE, index);
	outb(ATTRIBUTE, value);
	outb(ATTRIBUTE, 0x20);
}

/* pair is a number in two registers of the CRT controller, the high byte first. */
static unsigned read_pair(uint8_t index)
{
	return read_register(CRTC, index) << 8 | read_register(CRTC, index + 1);
}

static void write_pair(uint8_t index, unsigned value)
{
	write_register(CRTC, index, value >> 8);
	write_register(CRTC, index + 1, value);
}

/* 80x25 characters of 9x16 dots, 16 colours. [IBM VGA, mode 3] */
static const uint8_t sequencer[] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t crtc[] = {
	0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00,
	0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
};
static const uint8_t graphics[] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF };
static const uint8_t attributes[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A,
	0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0x00, 0x0F, 0x08, 0x00,
};

static void tell(const char *name, uint8_t (*read)(uint16_t, uint8_t), uint16_t port, const uint8_t *want, int count)
{
	print("  %s", name);
	for (int i = 0; i < count; i++) {
		uint8_t value = read(port, i);
		print(" %02lx", (word)value);
		expect(name, value, want[i]);
	}
	print("\n");
}

static uint8_t read_attribute_of(uint16_t port, uint8_t index)
{
	(void)port;
	return read_attribute(index);
}

static void set_mode_3(void)
{
	print("1. Mode 3, register by register\n");
	outb(MISC, 0x67); /* the CRT controller at 0x3D4, 28 MHz */
	for (unsigned i = 0; i < sizeof sequencer; i++)
		write_register(SEQUENCER, i, sequencer[i]);
	write_register(CRTC, VERTICAL_SYNC_END, 0); /* no protection */
	for (unsigned i = 0; i < sizeof crtc; i++)
		write_register(CRTC, i, crtc[i]);
	for (unsigned i = 0; i < sizeof graphics; i++)
		write_register(GRAPHICS, i, graphics[i]);
	for (unsigned i = 0; i < sizeof attributes; i++)
		write_attribute(i, attributes[i]);
	outb(DAC_WRITE, 0); /* 64 colours: two bits each of red, green and blue */
	for (int i = 0; i < 64; i++)
		for (int bit = 2; bit >= 0; bit--)
			outb(DAC_DATA, 0x2A * (i >> bit & 1) + 0x15 * (i >> (bit + 3) & 1));
	expect("miscellaneous output", inb(0x3CC), 0x67);
	tell("sequencer", read_register, SEQUENCER, sequencer, sizeof sequencer);
	tell("CRTC     ", read_register, CRTC, crtc, sizeof crtc);
	tell("graphics ", read_register, GRAPHICS, graphics, sizeof graphics);
	tell("attribute", read_attribute_of, 0, attributes, sizeof attributes);
}

static void put(int x, int y, uint8_t attribute, const char *s)
{
	for (; *s; s++, x++)
		text[y * COLUMNS + x] = CELL(attribute, *s);
}

/* row sends a row of the screen: characters beyond ASCII as their digits, and
   the sum of the attributes. */
static void row(int y)
{
	word sum = 0;
	int end = COLUMNS;

	print("  row %d: ", y);
	while (end > 0 && text[y * COLUMNS + end - 1] == CELL(LIGHT_GREY, ' '))
		end--;
	for (int x = 0; x < end; x++) {
		uint16_t cell = text[y * COLUMNS + x];
		uint8_t c = cell;
		sum += cell >> 8;
		if (c >= ' ' && c <= '~')
			print("%c", c);
		else
			print("<%02lx>", (word)c);
	}
	print(", attributes 0x%lx\n", sum);
}

static void write_text(void)
{
	print("\n2. Text in colours at 0xB8000\n");
	for (int i = 0; i < COLUMNS * (ROWS + 1); i++)
		text[i] = CELL(LIGHT_GREY, ' ');
	put(0, 0, LIGHT_GREY, "This row is scrolled away.");
	put(2, 2, WHITE_ON_BLUE, "\xC9\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xBB");
	put(2, 3, WHITE_ON_BLUE, "\xBA text screen \xBA");
	put(2, 4, WHITE_ON_BLUE, "\xC8\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xCD\xBC");
	put(20, 3, YELLOW_ON_RED, " yellow on red ");
	put(37, 3, BLINKING_RED, "blinking");
	for (int colour = 0; colour < 16; colour++)
		put(2 + 3 * colour, 6, (colour << 4 & 0x70) | (colour ^ 15), "\x01\xB1");
	for (int y = 0; y < ROWS; y++)
		if (y == 0 || y == 2 || y == 3 || y == 6)
			row(y);
}

static void cursor(void)
{
	print("\n3. The cursor\n");
	write_pair(CURSOR, 8 * COLUMNS + 2);
	print("  at cell %d of memory; lines %d to %d of 16\n", read_pair(CURSOR), read_register(CRTC, CURSOR_START),
	      read_register(CRTC, CURSOR_END));
	expect("the cursor", read_pair(CURSOR), 642);
	write_register(CRTC, CURSOR_START, CURSOR_OFF | 13);
	expect("the cursor's start", read_register(CRTC, CURSOR_START), 0x2D);
	write_register(CRTC, CURSOR_START, 0);
	print("  off, and on again as a block: lines %d to %d\n", read_register(CRTC, CURSOR_START),
	      read_register(CRTC, CURSOR_END));
}

static void scroll(void)
{
	print("\n4. Scrolling by the start address: no byte is moved\n");
	put(0, ROWS, LIGHT_GREY, "This row was below the screen.");
	write_pair(START, COLUMNS);
	print("  the screen begins with cell %d; in memory it is still\n", read_pair(START));
	row(0);
	expect("the start", read_pair(START), COLUMNS);
}

static void sizes(void)
{
	int rows;

	print("\n5. Other sizes\n");
	write_register(CRTC, MAX_SCAN_LINE, 0x40 | 7);
	rows = 400 / ((read_register(CRTC, MAX_SCAN_LINE) & 0x1F) + 1);
	print("  characters of 8 lines: %d rows\n", rows);
	expect("the rows", rows, 50);
	write_register(CRTC, MAX_SCAN_LINE, 0x40 | 15);

	write_register(CRTC, LAST_COLUMN, 39);
	print("  protected, the last column stays %d; ", read_register(CRTC, LAST_COLUMN));
	expect("the last column", read_register(CRTC, LAST_COLUMN), COLUMNS - 1);
	write_register(CRTC, VERTICAL_SYNC_END, crtc[VERTICAL_SYNC_END] & ~PROTECT);
	write_register(CRTC, LAST_COLUMN, 39);
	write_register(CRTC, OFFSET, 20);
	print("without protection it is %d\n", read_register(CRTC, LAST_COLUMN));
	expect("the last column", read_register(CRTC, LAST_COLUMN), 39);
	write_register(CRTC, LAST_COLUMN, COLUMNS - 1);
	write_register(CRTC, OFFSET, COLUMNS / 2);
	write_register(CRTC, VERTICAL_SYNC_END, crtc[VERTICAL_SYNC_END]);
}

static void colours(void)
{
	print("\n6. A colour of its own, and one of another number\n");
	outb(DAC_WRITE, 1); /* blue, the frame's background */
	outb(DAC_DATA, 0);
	outb(DAC_DATA, 20);
	outb(DAC_DATA, 30);
	expect("the next colour", inb(DAC_WRITE), 2);
	outb(DAC_READ, 1);
	print("  colour 1 is");
	for (int i = 0; i < 3; i++)
		print(" %d", inb(DAC_DATA));
	print("; colour 2, which follows,");
	for (int i = 0; i < 3; i++)
		print(" %d", inb(DAC_DATA));
	print("\n");
	write_attribute(5, 0x3D);
	print("  magenta is colour %d of the DAC\n", read_attribute(5));
	expect("magenta", read_attribute(5), 0x3D);
}

static void beam(void)
{
	print("\n7. The beam\n");
	for (int line = 0; line < 3; line++) {
		while (inb(STATUS) & DISPLAY_OFF)
			;
		while (!(inb(STATUS) & DISPLAY_OFF))
			;
	}
	print("  has left the picture three times, at ends of lines\n");
}

void kernel_main(void)
{
	console_init();
	segments_init();
	print("text-screen-32: text mode 3, and what its registers read back\n\n");
	set_mode_3();
	write_text();
	cursor();
	scroll();
	sizes();
	colours();
	beam();
	exit_run(surprises != 0);
}
