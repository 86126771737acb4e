// A FIFO.
#include "memory/memory.h"

void fifo_reset(struct fifo *fifo, uint32_t depth)
{
	*fifo = (struct fifo){.depth = depth < 1 ? 1 : depth > FIFO_MAX_DEPTH ? FIFO_MAX_DEPTH : depth};
}

bool fifo_push(struct fifo *fifo, uint32_t value)
{
	if (fifo->level == fifo->depth)
		return false;
	const uint32_t end = fifo->read + fifo->level;
	fifo->word[end < fifo->depth ? end : end - fifo->depth] = value;
	fifo->level++;
	fifo->pushed++;
	return true;
}

bool fifo_pop(struct fifo *fifo, uint32_t *value)
{
	if (fifo->level == 0)
		return false;
	*value = fifo->word[fifo->read];
	fifo->read = fifo->read + 1 < fifo->depth ? fifo->read + 1 : 0;
	fifo->level--;
	fifo->popped++;
	return true;
}
