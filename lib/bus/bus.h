// The bus: an address and a width lead to a register or a memory word (hardware reference 2).
#ifndef AI8X_BUS_BUS_H
#define AI8X_BUS_BUS_H

#include "base/error.h"
#include "bus/registers.h"
#include "memory/memory.h"

// Everything that the bus reaches.
struct bus {
	const ai8x_part *part;
	struct registers registers;
	struct data_memory data;
	struct kernel_memory kernel;
	struct bias_memory bias;
	struct tram_memory tram;
	struct fifo fifo[FIFO_COUNT];
};

ai8x_status bus_create(struct bus *bus, const ai8x_part *part);
void bus_destroy(struct bus *bus);
void bus_reset(struct bus *bus, uint32_t fifo_depth);

// Makes all memories of `to` equal to those of `from`, which belongs to the same part.
void bus_copy_memories(struct bus *to, const struct bus *from);

// Decodes an address, or says what is wrong with it. Registers and memories take 32-bit accesses at
// multiples of four only.
ai8x_status bus_decode(const struct bus *bus, uint32_t address, unsigned bytes, struct part_target *target,
                       ai8x_error *error);

// Memory accesses; registers with side effects are the machine's business.
struct kernel_commit bus_write_memory(struct bus *bus, const struct part_target *target, unsigned bytes,
                                      uint32_t value);
uint32_t bus_read_memory(const struct bus *bus, const struct part_target *target);

#endif
