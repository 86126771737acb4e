// The processes that mpirun (or srun) started together, as a cluster that shares the work of a command.
//
// Kept out of libai8xsim: programs that use the library choose their own message passing, or none.
#ifndef AI8X_MPI_CLUSTER_MPI_H
#define AI8X_MPI_CLUSTER_MPI_H

#include <ai8xsim/cluster.h>

// *cluster is NULL when this process was started alone. AI8X_ERR_UNSUPPORTED: it was not, but this build has no
// MPI: each process would do the whole work.
ai8x_status cluster_mpi_open(ai8x_cluster **cluster, ai8x_error *error);

// Ends the session with the others. NULL is allowed. With ranks lost that never say good-bye it does not return:
// it ends all processes of the job, with `exit_status`.
void cluster_mpi_close(ai8x_cluster *cluster, int exit_status);

#endif
