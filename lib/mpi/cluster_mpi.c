// A cluster over MPI. Only the main thread calls MPI (MPI_THREAD_FUNNELED).
#include "mpi/cluster_mpi.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <mpi.h>

#include "mpi/started.h"

enum { TAG = 1, SILENCE_SECONDS = 60 };

struct mpi_cluster {
	ai8x_cluster public;   // first: the library's pointer is a pointer to all of it
	void *buffer;          // of the last message
	size_t room;
};

static ai8x_status trouble(int code, const char *what, ai8x_error *error)
{
	char text[MPI_MAX_ERROR_STRING];
	int length = 0;
	(void)MPI_Error_string(code, text, &length);
	error->status = AI8X_ERR_IO;
	(void)snprintf(error->message, sizeof error->message, "MPI: cannot %s: %.300s", what, text);
	return error->status;
}

static ai8x_status send_message(ai8x_cluster *cluster, unsigned to, const void *bytes, size_t size, ai8x_error *error)
{
	(void)cluster;
	if (size > INT_MAX) {
		error->status = AI8X_ERR_LIMIT;
		(void)snprintf(error->message, sizeof error->message, "MPI: a message of %zu bytes", size);
		return error->status;
	}
	const int code = MPI_Send(bytes, (int)size, MPI_BYTE, (int)to, TAG, MPI_COMM_WORLD);
	return code == MPI_SUCCESS ? AI8X_OK : trouble(code, "send", error);
}

static ai8x_status receive_message(ai8x_cluster *cluster, unsigned *from, const void **bytes, size_t *size,
                                   ai8x_error *error)
{
	struct mpi_cluster *self = (struct mpi_cluster *)cluster;
	MPI_Message message;
	MPI_Status about;
	int there = 0, count = 0;
	int code = MPI_Improbe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &message, &about);
	if (code != MPI_SUCCESS)
		return trouble(code, "look for messages", error);
	if (!there)
		return AI8X_WAITING;
	(void)MPI_Get_count(&about, MPI_BYTE, &count);
	if ((size_t)count > self->room) {
		void *buffer = realloc(self->buffer, (size_t)count);
		if (buffer == NULL)
			return error->status = AI8X_ERR_NO_MEMORY;
		self->buffer = buffer;
		self->room = (size_t)count;
	}
	code = MPI_Mrecv(self->buffer, count, MPI_BYTE, &message, &about);
	if (code != MPI_SUCCESS)
		return trouble(code, "receive", error);
	*from = (unsigned)about.MPI_SOURCE;
	*bytes = self->buffer;
	*size = (size_t)count;
	return AI8X_OK;
}

ai8x_status cluster_mpi_open(ai8x_cluster **cluster, ai8x_error *error)
{
	*cluster = NULL;
	if (!started_by_launcher())
		return AI8X_OK;
	int level = 0, rank = 0, size = 0;
	const int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
	if (code != MPI_SUCCESS)
		return trouble(code, "start", error);
	// A rank that is gone is no reason to give up: what it should have done is done elsewhere.
	(void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	(void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	(void)MPI_Comm_size(MPI_COMM_WORLD, &size);
	struct mpi_cluster *self = calloc(1, sizeof *self);
	if (self == NULL || level < MPI_THREAD_FUNNELED) {
		free(self);
		(void)MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
		return error->status = AI8X_ERR_NO_MEMORY;
	}
	self->public = (ai8x_cluster){
		.rank = (unsigned)rank,
		.size = (unsigned)size,
		.silence_seconds = SILENCE_SECONDS,
		.send = send_message,
		.receive = receive_message,
	};
	*cluster = &self->public;
	return AI8X_OK;
}

void cluster_mpi_close(ai8x_cluster *cluster, int exit_status)
{
	struct mpi_cluster *self = (struct mpi_cluster *)cluster;
	if (self == NULL)
		return;
	const bool all_here = cluster->silent == 0;
	free(self->buffer);
	free(self);
	// MPI_Finalize() waits for everybody.
	if (all_here)
		(void)MPI_Finalize();
	else
		(void)MPI_Abort(MPI_COMM_WORLD, exit_status);
}
