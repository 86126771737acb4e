// A build without MPI.
#include "mpi/cluster_mpi.h"

#include <stdio.h>

#include "mpi/started.h"

ai8x_status cluster_mpi_open(ai8x_cluster **cluster, ai8x_error *error)
{
	*cluster = NULL;
	if (!started_by_launcher())
		return AI8X_OK;
	error->status = AI8X_ERR_UNSUPPORTED;
	(void)snprintf(
		error->message, sizeof error->message,
		"started as one of several processes, but built without MPI (meson option mpi): every process "
		"would do all the work");
	return error->status;
}

void cluster_mpi_close(ai8x_cluster *cluster, int exit_status)
{
	(void)cluster;
	(void)exit_status;
}
