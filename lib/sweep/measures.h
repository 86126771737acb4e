// Numbers of a point, and which two of them a specification chose; see sweep.c.
#ifndef AI8X_SWEEP_MEASURES_H
#define AI8X_SWEEP_MEASURES_H

#include <ai8xsim/sweep.h>

// A number of a point that a picture can show.
struct sweep_measure {
	const char *key;   // as in specifications, in CSV and HDF5 files: "seconds"
	const char *title; // "time of one inference"
	const char *unit;  // "s", or "" of what is counted
	double (*of)(const ai8x_sweep_point *point);
	bool more_is_better; // unless the specification says otherwise
};

// All measures; the last one's key is NULL.
const struct sweep_measure *sweep_measures(void);

// What the objectives of the specification are: 0: across, 1: upwards.
const struct sweep_measure *sweep_objective(const ai8x_sweep *sweep, unsigned which, bool *more);

#endif
