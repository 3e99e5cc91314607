; A guest without end for machine/resume_test.go: it keeps x87, MMX and SSE
; registers, TLB, memory and serial port busy. MODE is 32 or 64.
;   nasm -f bin -DMODE=32 -o endless32.bin endless.asm
;   nasm -f bin -DMODE=64 -o endless64.bin endless.asm
bits MODE
org 0x10000

%if MODE = 64
	%define A rax
%else
	%define A eax
%endif

	mov A, cr4
	or eax, 0x610			; OSFXSR, OSXMMEXCPT; PSE
	mov cr4, A
%if MODE = 32
	xor edi, edi			; the first 8 MiB to themselves
	mov dword [0x20000], 0x83
	mov dword [0x20004], 0x400083
	mov eax, 0x20000
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
%endif
	mov dx, 0x3fa			; FIFO on
	mov al, 1
	out dx, al
	fninit
	fldpi
	xor ecx, ecx
	mov ebx, 0x200000
	mov eax, 0x3f800001
	movd xmm3, eax

next:	inc ecx
	mov [0x30000], ecx
	test ecx, 31			; the slow ones now and then
	jnz .store
	fild dword [0x30000]
	fsqrt
	fmul st0, st1
	fst qword [ebx]
	fstp tword [ebx+8]
	cvtsi2sd xmm0, ecx
	sqrtsd xmm1, xmm0
	mulss xmm3, xmm3
	paddd xmm2, xmm1
	pxor xmm2, xmm0
	movups [ebx+0x20], xmm2
.store:	add [ebx+0x40], ecx
	add ebx, 0x1030
	and ebx, 0x3ffff0
	or ebx, 0x200000

	mov dx, 0x3fd
	in al, dx
	test al, 1
	jz .none
	mov dx, 0x3f8
	in al, dx
	add [0x30004], al
	rol byte [0x30004], 1
	mov al, [0x30004]
	out dx, al
.none:	test ecx, 0x3ff
	jnz next
	mov A, cr3			; all of the TLB
	mov cr3, A
	invlpg [0x30000]
	jmp next
