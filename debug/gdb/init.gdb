# For gdb with x86emu. Source it, and then: target remote :1234
#
# gdb follows the processor's mode: after each stop the architecture is that of
# the code that comes next. gdb warns that it is not the description's; that is
# harmless, as the description suits all three. Where CS has a base, look at
# $pc_linear: x/5i $pc_linear.

set remoteaddresssize 64
set osabi none
set $x86emu_mode = 0

define hook-stop
  if $_thread > 0
    if $mode != $x86emu_mode
      set $x86emu_mode = $mode
      if $mode == 16
        set architecture i8086
      end
      if $mode == 32
        set architecture i386
      end
      if $mode == 64
        set architecture i386:x86-64
      end
    end
  end
end

define system-registers
  info registers cr0 cr2 cr3 cr4 cr8 efer dr0 dr1 dr2 dr3 dr6 dr7
  info registers gdtr_base gdtr_limit idtr_base idtr_limit ldtr tr tr_base
  info registers cs_base cs_attr ss_base ss_attr fs_base gs_base k_gs_base
  info registers star lstar sfmask cpl mode state tick
end
document system-registers
Show the registers that only a kernel sees.
end

define goto-tick
  monitor goto $arg0
  reverse-continue
end
document goto-tick
goto-tick TICK: go to a tick, back or forward.
end

define fault-start
  monitor fault-start
  reverse-continue
end
document fault-start
Go back to before the fault whose handler is at work: the one that all began with.
end

define restore-state
  monitor restore $arg0
  reverse-continue
end
document restore-state
restore-state NAME: go to the state that "monitor snapshot NAME" has remembered.
end
