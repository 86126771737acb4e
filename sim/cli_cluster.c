// Long commands: clusters and interruptions; see cli_cluster.h.
#include "cli_cluster.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "mpi/cluster_mpi.h"

static void notice(ai8x_cluster *cluster, unsigned rank, const char *reason)
{
	(void)cluster;
	if (reason[0] != '\0')
		cli_error("rank %u dropped out, others do its work: %s", rank, reason);
}

int cli_cluster_open(ai8x_cluster **cluster)
{
	ai8x_error error = {0};
	const ai8x_status status = cluster_mpi_open(cluster, &error);
	if (status != AI8X_OK)
		return cli_fail(NULL, &error);
	if (*cluster == NULL)
		return CLI_OK;
	(*cluster)->notice = notice;
	// Networks that drop out for longer than usual, or tests.
	const char *silence = getenv("AI8XSIM_RANK_TIMEOUT");
	const double seconds = silence != NULL ? strtod(silence, NULL) : 0;
	if (seconds > 0)
		(*cluster)->silence_seconds = seconds;
	return CLI_OK;
}

void cli_cluster_close(ai8x_cluster *cluster, int code)
{
	(void)fflush(stdout);
	cluster_mpi_close(cluster, code);
}

int cli_cluster_refuse(ai8x_cluster *cluster, const char *file, const ai8x_error *error)
{
	ai8x_cluster_refuse(cluster, error);
	return cluster == NULL || cluster->rank == 0 ? cli_fail(file, error) : cli_exit_of(error->status);
}

unsigned cli_processors(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}

static volatile sig_atomic_t came;

static void remember(int signal_number)
{
	came = signal_number;
}

void cli_interruptible(void)
{
	struct sigaction action = {.sa_handler = remember, .sa_flags = (int)SA_RESETHAND};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

int cli_interrupted(void)
{
	return came;
}

void cli_end_as_interrupted(void)
{
	if (came == 0)
		return;
	(void)fflush(stdout);
	(void)signal(came, SIG_DFL);
	(void)raise(came);
}
