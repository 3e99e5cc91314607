# From 16-bit to 32-bit to 64-bit code, for the tests with gdb: a flat image at
# 0x7c00, begun in real mode. It is built by
#
#   as --64 modes.S -o modes.o && ld -m elf_x86_64 -Ttext 0x7c00 -e start modes.o -o modes.elf
#   objcopy -O binary modes.elf modes.bin
#
# counter, at 0x6000, is incremented once in each mode.

	.set	counter, 0x6000
	.set	pml4, 0x1000

	.globl	start, segmented, handler, wide, long, inc16, inc32, inc64, store, done
	.text
	.code16
start:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$0x7000, %sp
	movw	$handler, 4*6		# the vector of #UD
	movw	%ax, 4*6+2
	ljmp	$0x7c0, $segmented-0x7c00
segmented:				# CS has a base
	movb	$'a', %al
	outb	%al, $0xe9
	ud2				# handled, and stepped over
inc16:	incl	counter
	ljmp	$0, $flat
handler:
	movw	%sp, %bp
	addw	$2, (%bp)
	iretw
flat:	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$8, $wide

	.code32
wide:	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7000, %esp
inc32:	incl	counter
	movl	$pml4+0x1003, pml4	# one page of 1 GByte, on itself, and at the top
	movl	$pml4+0x2003, pml4+0xff8
	movl	$0x83, pml4+0x1000
	movl	$0x83, pml4+0x2ff0
	movl	$0x20, %eax		# PAE
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	# EFER
	rdmsr
	orb	$1, %ah			# LME
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmp	$24, $low

	.code64
low:	movabsq	$long-0x80000000, %rax
	jmp	*%rax
long:	movabsq	$0x1122334455667788, %rbx
inc64:	incl	counter
	movl	$'b', %eax
	outb	%al, $0xe9
store:	movq	%rbx, counter+8
	xorl	%eax, %eax
	outb	%al, $0xf4
done:	hlt

	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdtr:	.word	.-gdt-1
	.long	gdt
