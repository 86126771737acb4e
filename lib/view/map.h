// What a memory map comes to, for who needs no map.
#ifndef AI8X_VIEW_MAP_H
#define AI8X_VIEW_MAP_H

#include <ai8xsim/view.h>

// Words of data memory and of kernel memory that a run occupies: what the last step of ai8x_map_create() and its kernels
// add up to. Words are never given back, so the last step is the fullest.
ai8x_status map_count_words(const ai8x_program *program, const ai8x_schedule *schedule, uint64_t *data,
                            uint64_t *kernels, ai8x_error *error);

// Words in a list of runs, of one owner or (owner < AI8X_MAP_INPUT) of all.
uint64_t map_words(const ai8x_map_runs *runs, int owner);

#endif
