// What commands share that run for long, on several processors and machines: the cluster, interruptions.
#ifndef AI8XSIM_CLI_CLUSTER_H
#define AI8XSIM_CLI_CLUSTER_H

#include "cli.h"

// The processes that were started together (mpirun), or NULL. Returns CLI_OK, or prints its own error.
int cli_cluster_open(ai8x_cluster **cluster);
// Ends the session; see cluster_mpi_close().
void cli_cluster_close(ai8x_cluster *cluster, int code);
// In place of work when this process cannot begin: tells the others, prints the error once. Returns its exit status.
int cli_cluster_refuse(ai8x_cluster *cluster, const char *file, const ai8x_error *error);

// Processors that this process may use.
unsigned cli_processors(void);

// From now on SIGINT and SIGTERM only set what cli_interrupted() returns; a second one ends the process.
void cli_interruptible(void);
// The signal that came, or 0.
int cli_interrupted(void);
// Ends the process by the signal that came, if one did: shells and launchers see why it ended.
void cli_end_as_interrupted(void);

#endif
