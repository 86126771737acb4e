// Error messages of the referee, which links nothing of the library and so fills them itself.
#ifndef AI8X_GOLDEN_FAIL_H
#define AI8X_GOLDEN_FAIL_H

#include <ai8xsim/status.h>

// Sets status and message (printf style) where error is not NULL; returns status.
ai8x_status golden_fail(ai8x_error *error, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// Puts "golden model: layer N: " before an existing message.
ai8x_status golden_fail_in_layer(ai8x_error *error, ai8x_status status, unsigned layer);

#endif
