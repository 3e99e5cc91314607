; Constants, a quotient that is not masked, and vectors: nasm -f bin -o floats.bin floats.asm
bits 32
org 0x500
mov eax,cr0
or eax,0x22
mov cr0,eax
mov eax,cr4
or eax,0x600
mov cr4,eax
fninit
fldpi
fld1
push dword 0x1d80
ldmxcsr [esp]
mov eax,1
cvtsi2ss xmm0,eax
shufps xmm0,xmm0,0
movq mm3,[esp]
emms
push dword 0x37b
fldcw [esp]
fldz
fld1
fdivrp
mov ecx,2
fwait
hlt
