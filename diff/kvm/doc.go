// Package kvm asks the processor of the host through /dev/kvm: the image of
// package harness runs in a virtual machine with 64 MiB of memory, one processor
// and no devices. Port 0xE9 is the way out; a triple fault ends the machine, and
// the harness starts another. The arena is prepared and compared from outside.
//
// What answers is silicon where the module uses VMX or SVM. The module kvm_pvm,
// seen on virtual machines without either, runs CPL 3 on the processor and has
// KVM's software emulator do all else: its answers to cases that begin at CPL 0
// or end there are an emulator's, and Version says so. An instruction that this emulator lacks
// ends the machine; the case is silent then.
//
// linux/amd64 only, and nothing is asked of the host but /dev/kvm itself.
package kvm
