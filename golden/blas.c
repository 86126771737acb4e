// OpenBLAS's functions, found at run time (see blas.h).
#include "blas.h"

#include <dlfcn.h>
#include <string.h>

#include "fail.h"

ai8x_status blas_load(struct blas *blas, ai8x_error *error)
{
	// Never unloaded: its threads would have to be started anew for the next product.
	void *library = dlopen(OPENBLAS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return golden_fail(error, AI8X_ERR_NO_MEMORY,
		                   "the golden model needs OpenBLAS, which is not there or found no memory: %s",
		                   dlerror());
	void *dgemm = dlsym(library, "cblas_dgemm");
	void *set_num_threads = dlsym(library, "openblas_set_num_threads");
	if (dgemm == NULL || set_num_threads == NULL) {
		return golden_fail(error, AI8X_ERR_UNSUPPORTED, "%s is not OpenBLAS with its C interface",
		                   OPENBLAS_LIBRARY);
	}
	memcpy(&blas->dgemm, &dgemm, sizeof dgemm);
	memcpy(&blas->set_num_threads, &set_num_threads, sizeof set_num_threads);
	return AI8X_OK;
}
