// What the MPI module offers to load.c.
#ifndef AI8X_MPI_MODULE_H
#define AI8X_MPI_MODULE_H

#include <ai8xsim/cluster.h>

// Names of the functions, for dlsym(); they behave as cluster_mpi_open() and cluster_mpi_close() do for a process that a
// launcher started.
#define MPI_MODULE_FILE "ai8xsim-mpi.so"
#define MPI_MODULE_OPEN "mpi_module_open"
#define MPI_MODULE_CLOSE "mpi_module_close"

typedef ai8x_status mpi_module_open_fn(ai8x_cluster **cluster, ai8x_error *error);
typedef void mpi_module_close_fn(ai8x_cluster *cluster, int exit_status);

__attribute__((visibility("default"))) mpi_module_open_fn mpi_module_open;
__attribute__((visibility("default"))) mpi_module_close_fn mpi_module_close;

#endif
