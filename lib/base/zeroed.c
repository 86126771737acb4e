// Large blocks of zeros, from the kernel.
#include "base/zeroed.h"

#include <stdlib.h>

// Sanitizers watch the heap only.
#if defined(__SANITIZE_ADDRESS__)
#define ON_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ON_HEAP 1
#endif
#endif

#ifdef ON_HEAP

void *zeroed_create(size_t bytes)
{
	return calloc(bytes, 1);
}

void zeroed_destroy(void *block, size_t bytes)
{
	(void)bytes;
	free(block);
}

#else

#include <sys/mman.h>

void *zeroed_create(size_t bytes)
{
	void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return block != MAP_FAILED ? block : NULL;
}

void zeroed_destroy(void *block, size_t bytes)
{
	if (block != NULL)
		(void)munmap(block, bytes);
}

#endif
