// Which kernels this processor is given: `fastest NAME` succeeds where they are those of that name.
#include <stdio.h>
#include <string.h>

#include "fast/variants.h"

int main(int argc, char **argv)
{
	const char *fastest = fast_kernel_find(NULL)->name;
	printf("fastest: %s\n", fastest);
	return argc == 2 && strcmp(argv[1], fastest) == 0 ? 0 : 1;
}
