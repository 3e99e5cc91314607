/* code.h: the words by which a case's code is written, a byte at a time by put_code. */
#pragma once
#include <stdarg.h>
#include <stdint.h>

static void put_code(int byte);

void op(int bytes, ...)
{
	va_list args;

	va_start(args, bytes);
	while (bytes--)
		put_code(va_arg(args, int));
	va_end(args);
}

void op16(uint32_t value)
{
	op(2, value & 255, value >> 8 & 255);
}

void op32(uint32_t value)
{
	op16(value);
	op16(value >> 16);
}
