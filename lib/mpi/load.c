// Loads the MPI module when a launcher started this process among others. The dynamic linker finds it by the program's
// search path (meson.build).
#include "mpi/cluster_mpi.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "mpi/module.h"
#include "mpi/started.h"

// A function of the module, or NULL. Copied as bytes: C has no conversion from objects to functions.
static bool find(const char *name, int mode, void *function, size_t size)
{
	// Never unloaded: MPI's libraries do not stand that.
	void *module = dlopen(MPI_MODULE_FILE, RTLD_NOW | RTLD_GLOBAL | mode);
	void *found = module != NULL ? dlsym(module, name) : NULL;
	memcpy(function, &found, size);
	return found != NULL;
}

ai8x_status cluster_mpi_open(ai8x_cluster **cluster, ai8x_error *error)
{
	*cluster = NULL;
	if (!started_by_launcher())
		return AI8X_OK;
	mpi_module_open_fn *open = NULL;
	if (find(MPI_MODULE_OPEN, 0, &open, sizeof open))
		return open(cluster, error);
	error->status = AI8X_ERR_UNSUPPORTED;
	(void)snprintf(error->message, sizeof error->message,
	               "started as one of several processes, but the MPI module does not load: %.300s",
	               dlerror());
	return error->status;
}

void cluster_mpi_close(ai8x_cluster *cluster, int exit_status)
{
	mpi_module_close_fn *close = NULL;
	if (cluster != NULL && find(MPI_MODULE_CLOSE, RTLD_NOLOAD, &close, sizeof close))
		close(cluster, exit_status);
}
