// Launchers tell a process about itself by its environment. MPI itself is asked only when they do: setting it
// up takes a good part of a second, which single processes are spared.
#include "mpi/started.h"

#include <stddef.h>
#include <stdlib.h>

bool started_by_launcher(void)
{
	// Open MPI's mpirun; MPICH's and Slurm's PMI-2.
	static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const char *size = getenv(sizes[i]);
		if (size != NULL)
			return strtol(size, NULL, 10) > 1;
	}
	// Slurm with PMIx names the rank only.
	return getenv("PMIX_RANK") != NULL;
}
