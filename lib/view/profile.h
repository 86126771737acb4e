// What a profile says of a part, whatever runs on it.
#ifndef AI8X_VIEW_PROFILE_H
#define AI8X_VIEW_PROFILE_H

#include <ai8xsim/view.h>

// Words of the part's data memory (32 bit) and kernel memory (72 bit).
uint64_t profile_data_capacity(const ai8x_part *part);
uint64_t profile_kernel_capacity(const ai8x_part *part);

#endif
