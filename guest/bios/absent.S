/* absent.S: INT 14 and 17, serial port and printer. Software drives the serial port
   itself; both answer like a port with nothing attached. */
        .include "bios.inc"

        .globl  int14, int17

int14:  mov     $0x80, %ah              /* timed out */
        iret
int17:  mov     $0x01, %ah              /* timed out */
        iret
