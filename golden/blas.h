// OpenBLAS, loaded when the first product is computed: loading it starts its threads, which costs programs that
// never ask the referee more than their own work.
#ifndef AI8X_GOLDEN_BLAS_H
#define AI8X_GOLDEN_BLAS_H

#include <cblas.h>

#include <ai8xsim/status.h>

struct blas {
	__typeof__(cblas_dgemm) *dgemm;
	__typeof__(openblas_set_num_threads) *set_num_threads;
};

// AI8X_ERR_UNSUPPORTED: the library that the build found is not on this system.
ai8x_status blas_load(struct blas *blas, ai8x_error *error);

#endif
