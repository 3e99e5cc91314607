#include "cases.h"

void kernel_main(void)
{
	console_init();
	paging_begin();
	gates();
	stacks();
	returns();
	matrix();
	calls();
	pages();
	returns_last();
	exit_run(0);
}
