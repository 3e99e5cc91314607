package bios

import (
	"fmt"
	"slices"
)

// Calls are all calls, in the order in which one boot makes them.
var Calls = slices.Concat(video, memory, disks, keyboard(), clock)

// oneTrack is what a read and a verification over the end of a track show.
const oneTrack = "SeaBIOS leaves the next track to the controller; QEMU's goes on there, the data sheet's does not"

// FloppyCalls are those that a boot from a floppy disk makes.
var FloppyCalls = []Call{
	{Name: "reset", Do: "13 ah=0", Want: "cf=0 ah=0"},
	{Name: "its parameters", Do: "13 ah=08", Want: "cf=0 ah=0 bl=04 cx=4f12 dx=0101"},
	{Name: "its type", Do: "13 ah=15", Want: "cf=0 ah=1"},
	{Name: "no third drive", Do: "13 ah=15 dl=2", Want: "ah=0", SeaBIOS: "tells of a drive"},
	{Name: "read the first sector", Do: "13 ax=0201 cx=1 es=2000 bx=100", Want: "cf=0 ax=0001", Look: "2000:100 31c08ed8"},
	{Name: "read three of the other side", Do: "13 ax=0203 cx=2 dx=0100 es=2000", Want: "cf=0 ax=0003", Look: "2000:0 13000000"},
	{Name: "the third one", Do: "11", Look: "2000:400 15000000"},
	{Name: "read over the end of a track", Do: "13 ax=0204 cx=0112 dx=0000 es=2000", Want: "cf=0 ax=0004", Look: "2000:0 35000000", NotHere: oneTrack},
	{Name: "the fourth one", Do: "11", Look: "2000:600 38000000", NotHere: oneTrack},
	{Name: "read over the end of a cylinder", Do: "13 ax=0202 cx=0312 dx=0100 es=2000", Want: "cf=0 ax=0002", Look: "2000:200 90000000", NotHere: oneTrack},
	{Name: "write the last sector", Do: "13 ax=0301 cx=4f12 dx=0100 bx=7c00", Want: "cf=0 ax=0001"},
	{Name: "it is written", Do: "13 ax=0201 cx=4f12 dx=0100 es=2000 bx=800", Want: "cf=0 ax=0001", Look: "2000:800 31c08ed8"},
	{Name: "and how it ended", Do: "13 ah=01", Want: "cf=0 ah=0"},
	{Name: "verify", Do: "13 ax=0402 cx=0112 dx=0000 es=2000", Want: "cf=0 ax=0002"},
	{Name: "no sector 0", Do: "13 ax=0201 cx=0000 es=2000", Want: "cf=1 ah=01"},
	{Name: "no sector 19", Do: "13 ax=0201 cx=0013 es=2000", Want: "cf=1 ah=01"},
	{Name: "no cylinder 80", Do: "13 ax=0201 cx=5001 es=2000", Want: "cf=1 ah=01"},
	{Name: "no second drive", Do: "13 ax=0201 cx=0001 dl=1 es=2000", Want: "cf=1 ah=01"},
	{Name: "the last error", Do: "13 ah=01", Want: "cf=1 ah=01"},
	{Name: "no hard disk", Do: "13 ax=0201 cx=0001 dl=80 es=2000", Want: "cf=1"},
	{Name: "the equipment has the drive", Do: "11", Want: "al=23", SeaBIOS: "a mouse"},
}

// INT 10.
var video = []Call{
	{Name: "mode 3 clears the screen", Do: "10 ax=0003", Look: "b800:0 2007 2007 2007 2007"},
	{Name: "the mode", Do: "10 ah=0f", Want: "ax=5003 bh=0"},
	{Name: "the cursor is at home", Do: "10 ah=03 bh=0", Want: "dx=0 cx=0607"},
	{Name: "teletype", Do: "10 ah=0e al=41 bx=0007", Want: "ax=0e41", Look: "b800:0 4107 2007"},
	{Name: "the cursor has moved", Do: "10 ah=03 bh=0", Want: "dx=0001"},
	{Name: "in the CRT controller too: index", Do: "out 3d4 0f"},
	{Name: "in the CRT controller too", Do: "in 3d5", Want: "al=01"},
	{Name: "a line feed", Do: "10 ah=0e al=0a"},
	{Name: "goes down alone", Do: "10 ah=03", Want: "dx=0101", Look: "40:50 0101"},
	{Name: "a carriage return", Do: "10 ah=0e al=0d", Look: "40:50 0001"},
	{Name: "a backspace at the left", Do: "10 ah=0e al=08", Look: "40:50 0001"},
	{Name: "a bell is not seen", Do: "10 ah=0e al=07", Look: "40:50 0001"},
	{Name: "set the cursor", Do: "10 ah=02 bh=0 dx=184f", Look: "40:50 4f18"},
	{Name: "the last cell scrolls the screen", Do: "10 ah=0e al=5a", Look: "40:50 0018"},
	{Name: "what was above is gone, what was below is above", Do: "11", Look: "b800:efe 5a07 2007"},
	{Name: "the colours of nine cells", Do: "10 ah=09 al=2a bh=0 bl=1f cx=3", Look: "b800:f00 2a1f 2a1f 2a1f 2007"},
	{Name: "characters alone", Do: "10 ah=0a al=2b bh=0 cx=2", Look: "b800:f00 2b1f 2b1f 2a1f"},
	{Name: "read the cell", Do: "10 ah=08 bh=0", Want: "ax=1f2b"},
	{Name: "scroll a window up", Do: "10 ax=0601 bh=4e cx=1700 dx=1801", Look: "b800:e60 2b1f 2b1f 2007"},
	{Name: "its new line", Do: "11", Look: "b800:f00 204e 204e 2a1f"},
	{Name: "and down", Do: "10 ax=0701 bh=4f cx=1700 dx=1801", Look: "b800:f00 2b1f 2b1f 2a1f"},
	{Name: "its new line above", Do: "11", Look: "b800:e60 204f 204f 2007"},
	{Name: "clear the screen", Do: "10 ax=0600 bh=17 cx=0 dx=184f", Look: "b800:f9c 2017 2017"},
	{Name: "a page that is not seen", Do: "10 ah=02 bh=1 dx=0203", Look: "40:50 0018 0302"},
	{Name: "a cell of it", Do: "10 ah=09 al=51 bh=1 bl=02 cx=1", Look: "b800:1146 5102"},
	{Name: "see it", Do: "10 ax=0501", Look: "40:4e 0010"},
	{Name: "teletype goes there", Do: "10 ah=0e al=52", Look: "b800:1146 5202"},
	{Name: "and back", Do: "10 ax=0500", Look: "40:4e 0000"},
	{Name: "a string", Do: "10 ax=1301 bx=0030 cx=4 dx=0500 bp=7c00", Look: "b800:320 ..30 ..30 ..30 ..30"},
	{Name: "has moved the cursor", Do: "10 ah=03", Want: "dx=0504"},
	{Name: "hide the cursor", Do: "10 ah=01 cx=2607", Look: "40:60 0726"},
	{Name: "an EGA's question", Do: "10 ah=12 bl=10", Want: "bx=0003"},
	{Name: "a VGA's", Do: "10 ax=1a00", Want: "al=1a bx=0008"},
	{Name: "bright backgrounds", Do: "10 ax=1003 bl=0"},
	{Name: "no VESA", Do: "10 ax=4f00 es=3000", Want: "ax=4f00", SeaBIOS: "QEMU's VGA has it"},
	{Name: "mode 3 again", Do: "10 ax=0003"},
}

// INT 11, 12 and 15.
var memory = []Call{
	{Name: "the equipment: 80 columns, a coprocessor, COM1 and COM2", Do: "11", Want: "ax=0422", Look: "40:0 f803f802", SeaBIOS: "a mouse"},
	{Name: "639 KiB", Do: "12", Want: "ax=027f"},
	{Name: "extended memory", Do: "15 ah=88", Want: "cf=0 ax=fc00", SeaBIOS: "less what it keeps for itself"},
	{Name: "E801", Do: "15 ax=e801", Want: "cf=0 ax=3c00 bx=0300 cx=3c00 dx=0300", SeaBIOS: "less what it keeps for itself"},
	{Name: "E820, first", Do: "15 eax=e820 edx=534d4150 ecx=14 es=1000", Want: "cf=0 eax=534d4150 ecx=14", Look: "1000:0 0000000000000000 00fc090000000000 01000000"},
	{Name: "E820, second", Do: "15 eax=e820 edx=534d4150 ecx=14 es=1000 ebx=1", Want: "cf=0", Look: "1000:0 00fc090000000000 ................ 02000000"},
	{Name: "E820, RAM", Do: "15 eax=e820 edx=534d4150 ecx=14 es=1000 ebx=2", Want: "cf=0", Look: "1000:0 0000100000000000 0000f00300000000 01000000", SeaBIOS: "an entry for its ROM first"},
	{Name: "E820 beyond the end", Do: "15 eax=e820 edx=534d4150 ecx=14 es=1000 ebx=20", Want: "cf=1 ah=86"},
	{Name: "E820 without SMAP", Do: "15 eax=e820 ecx=14 es=1000", Want: "cf=1 ah=86"},
	{Name: "A20 is open", Do: "15 ax=2402", Want: "cf=0 ax=0001"},
	{Name: "close it", Do: "15 ax=2400", Want: "cf=0 ah=0"},
	{Name: "A20 is closed", Do: "15 ax=2402", Want: "cf=0 ax=0000", Look: "ffff:7c10 31c08ed8"},
	{Name: "open it", Do: "15 ax=2401", Want: "cf=0 ah=0"},
	{Name: "how", Do: "15 ax=2403", Want: "cf=0 ah=0 bx=0002", SeaBIOS: "by the keyboard controller, too"},
	{Name: "a block is moved up", Do: "15 ah=87 cx=4", Want: "cf=0 ah=0",
		Data: "0000000000000000 0000000000000000 ffff007c00930000 ffff000020930000 0000000000000000 0000000000000000"},
	{Name: "and down", Do: "15 ah=87 cx=4", Want: "cf=0 ah=0", Look: "2000:0 31c08ed88ec08ed0",
		Data: "0000000000000000 0000000000000000 ffff000020930000 ffff000002930000 0000000000000000 0000000000000000"},
	{Name: "a short wait", Do: "15 ah=86 cx=0 dx=64", Want: "cf=0"},
	{Name: "a long wait", Do: "15 ah=86 cx=0 dx=2000", Want: "cf=0"},
	{Name: "configuration", Do: "15 ah=c0", Want: "cf=0 ah=0"},
	{Name: "extended data area", Do: "15 ah=c1", Want: "cf=0 es=9fc0"},
	{Name: "nobody knows this one", Do: "15 ax=ec00", Want: "cf=1 ah=86"},
}

// INT 13.
var disks = []Call{
	{Name: "reset the disk", Do: "13 ah=0 dl=80", Want: "cf=0 ah=0"},
	{Name: "its parameters: 2 cylinders of 16 heads and 63 sectors", Do: "13 ah=08 dl=80", Want: "cf=0 ah=0 cx=013f dx=0f01", SeaBIOS: "keeps the last cylinder to itself"},
	{Name: "its type", Do: "13 ah=15 dl=80", Want: "cf=0 ah=3 cx=0 dx=0800", SeaBIOS: "whole cylinders"},
	{Name: "read the first sector", Do: "13 ax=0201 cx=1 dx=0080 es=2000 bx=100", Want: "cf=0 ax=0001", Look: "2000:100 31c08ed8"},
	{Name: "read two of the second track", Do: "13 ax=0202 cx=1 dx=0180 es=2000 bx=100", Want: "cf=0 ax=0002", Look: "2000:100 3f000000"},
	{Name: "the second one", Do: "13 ah=01 dl=80", Want: "cf=0 ah=0", Look: "2000:300 40000000"},
	{Name: "write one", Do: "13 ax=0301 cx=2 dx=0180 es=0000 bx=7c00", Want: "cf=0 ax=0001"},
	{Name: "it is written", Do: "13 ax=0201 cx=2 dx=0180 es=2000 bx=400", Want: "cf=0", Look: "2000:400 31c08ed8"},
	{Name: "verify", Do: "13 ax=0404 cx=1 dx=0180", Want: "cf=0 ah=0"},
	{Name: "no sector 0", Do: "13 ax=0201 cx=0 dx=0080 es=2000", Want: "cf=1 ah=01"},
	{Name: "no head 16", Do: "13 ax=0201 cx=1 dx=1080 es=2000", Want: "cf=1 ah=01"},
	{Name: "no cylinder 2", Do: "13 ax=0201 cx=0201 dx=0080 es=2000", Want: "cf=1 ah=01"},
	{Name: "the last error", Do: "13 ah=01 dl=80", Want: "cf=1 ah=01"},
	{Name: "no second disk", Do: "13 ah=08 dl=81", Want: "cf=1"},
	{Name: "extensions", Do: "13 ah=41 bx=55aa dl=80", Want: "cf=0 bx=aa55"},
	{Name: "read by number", Do: "13 ah=42 dl=80", Want: "cf=0 ah=0", Look: "2000:0 50000000", Data: "10 00 0300 0000 0020 5000000000000000"},
	{Name: "the third one", Do: "11", Look: "2000:400 52000000"},
	{Name: "across a border of 64 KiB", Do: "13 ah=42 dl=80", Want: "cf=0 ah=0", Look: "3000:1f0 53000000", Data: "10 00 0500 f0ff 0020 5200000000000000"},
	{Name: "beyond the end", Do: "13 ah=42 dl=80", Want: "cf=1", Data: "10 00 0100 0000 0020 0008000000000000"},
	{Name: "write by number", Do: "13 ax=4300 dl=80", Want: "cf=0 ah=0", Data: "10 00 0100 0000 0020 6000000000000000"},
	{Name: "it is there", Do: "13 ah=42 dl=80", Want: "cf=0 ah=0", Look: "2000:0 50000000", Data: "10 00 0100 0000 0020 6000000000000000"},
	{Name: "parameters by number", Do: "13 ah=48 dl=80", Want: "cf=0 ah=0", Look: "data 1a00 .... 02000000 10000000 3f000000 0008000000000000 0002", Data: "1a00"},
	{Name: "nobody knows this one either", Do: "13 ah=77 dl=80", Want: "cf=1 ah=01"},
}

// INT 1A, and the ports that are not there.
var clock = []Call{
	{Name: "set the ticks", Do: "1a ah=01 cx=12 dx=3456", Want: "cf=0"},
	{Name: "get them", Do: "1a ah=00", Want: "cx=12 al=0"},
	{Name: "set the date", Do: "1a ah=05 cx=2026 dx=0514", Want: "cf=0"},
	{Name: "get it", Do: "1a ah=04", Want: "cf=0 cx=2026 dx=0514"},
	{Name: "set the time", Do: "1a ah=03 cx=1230 dx=1500", Want: "cf=0"},
	{Name: "get it", Do: "1a ah=02", Want: "cf=0 cx=1230"},
	{Name: "an alarm", Do: "1a ah=06 cx=1300 dx=0000", Want: "cf=0"},
	{Name: "there may be one", Do: "1a ah=06 cx=1301 dx=0000", Want: "cf=1"},
	{Name: "no alarm", Do: "1a ah=07", Want: "cf=0"},
	{Name: "no serial service", Do: "14 ah=3 dx=0", Want: "ah=80", SeaBIOS: "serves COM1"},
	{Name: "no printer", Do: "17 ah=2 dx=0", Want: "ah=01", SeaBIOS: "leaves AH"},
}

// INT 16, and INT 09 with scan codes that the keyboard controller is told to have received.
func keyboard() []Call {
	all := []Call{
		{Name: "no key", Do: "16 ah=01", Want: "zf=1"},
		{Name: "push a key", Do: "16 ah=05 cx=1e61", Want: "al=0"},
		{Name: "it is told", Do: "16 ah=01", Want: "zf=0 ax=1e61"},
		{Name: "and taken", Do: "16 ah=00", Want: "ax=1e61"},
		{Name: "no key is left", Do: "16 ah=01", Want: "zf=1"},
	}
	for _, k := range []struct {
		name  string
		codes []byte
		take  string // the function
		key   string
	}{
		{"a letter", []byte{0x1e, 0x9e}, "00", "1e61"},
		{"with Shift", []byte{0x2a, 0x1e, 0x9e, 0xaa}, "00", "1e41"},
		{"with the other one", []byte{0x36, 0x28, 0xa8, 0xb6}, "00", "2822"},
		{"with Ctrl", []byte{0x1d, 0x1e, 0x9e, 0x9d}, "00", "1e01"},
		{"with Alt", []byte{0x38, 0x1e, 0x9e, 0xb8}, "00", "1e00"},
		{"with Caps Lock", []byte{0x3a, 0xba, 0x2c, 0xac}, "00", "2c5a"},
		{"which is no Shift for a digit", []byte{0x03, 0x83}, "00", "0332"},
		{"and is undone by one", []byte{0x2a, 0x2c, 0xac, 0xaa, 0x3a, 0xba}, "00", "2c7a"},
		{"the keypad moves", []byte{0x48, 0xc8}, "00", "4800"},
		{"and counts with Num Lock", []byte{0x45, 0xc5, 0x48, 0xc8, 0x45, 0xc5}, "00", "4838"},
		{"a function key with Ctrl", []byte{0x1d, 0x3b, 0xbb, 0x9d}, "00", "5e00"},
		{"the grey Home, for old software", []byte{0xe0, 0x47, 0xe0, 0xc7}, "00", "4700"},
		{"and for new", []byte{0xe0, 0x47, 0xe0, 0xc7}, "10", "47e0"},
		{"the keypad's Enter, for old software", []byte{0xe0, 0x1c, 0xe0, 0x9c}, "00", "1c0d"},
		{"and for new", []byte{0xe0, 0x1c, 0xe0, 0x9c}, "10", "e00d"},
		{"F12 for new", []byte{0x58, 0xd8}, "10", "8600"},
		{"Pause is no key, the next one is", []byte{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x39, 0xb9}, "00", "3920"},
	} {
		for _, c := range k.codes {
			all = append(all,
				Call{Name: k.name, Do: "out 64 d2"},
				Call{Name: k.name, Do: fmt.Sprintf("out 60 %x", c)})
		}
		all = append(all, Call{Name: k.name, Do: "16 ah=" + k.take, Want: "ax=" + k.key})
	}
	return append(all, Call{Name: "no key is held", Do: "16 ah=02", Want: "al=0"})
}
