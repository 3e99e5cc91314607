// Package audit_test judges what package debug/audit foretells: by execution on
// this emulator, for the built-in kernels and for thousands of machines whose
// tables are broken at random; by the manual's text read a second time (package
// diff/model); and for a sample by QEMU and Bochs, since audit and execution share
// the rules of package idt.
package audit_test
