// A cluster over MPI. Only the main thread calls MPI (MPI_THREAD_FUNNELED), and never waits inside of it: MPI
// libraries wait by spinning, which would take a processor from the threads that compute.
#include "mpi/module.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mpi.h>

enum { TAG = 1, TAG_END = 2, SILENCE_SECONDS = 60, END_PAUSE_NS = 1000000 };

// A message on its way.
struct outgoing {
	struct outgoing *next;
	MPI_Request request;
	unsigned char bytes[];
};

struct mpi_cluster {
	ai8x_cluster public; // first: the library's pointer is a pointer to all of it
	struct outgoing *outgoing;
	void *buffer; // of the last message
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

static ai8x_status no_memory(ai8x_error *error, const char *what)
{
	error->status = AI8X_ERR_NO_MEMORY;
	(void)snprintf(error->message, sizeof error->message, "out of memory for %s", what);
	return error->status;
}

static void forget_sent(struct mpi_cluster *self)
{
	for (struct outgoing **link = &self->outgoing; *link != NULL;) {
		struct outgoing *message = *link;
		int sent = 0;
		// A request that failed is over as well.
		if (MPI_Test(&message->request, &sent, MPI_STATUS_IGNORE) == MPI_SUCCESS && !sent) {
			link = &message->next;
			continue;
		}
		*link = message->next;
		free(message);
	}
}

static ai8x_status send_message(ai8x_cluster *cluster, unsigned to, const void *bytes, size_t size,
                                ai8x_error *error)
{
	struct mpi_cluster *self = (struct mpi_cluster *)cluster;
	forget_sent(self);
	if (size > INT_MAX) {
		error->status = AI8X_ERR_LIMIT;
		(void)snprintf(error->message, sizeof error->message,
		               "MPI: a message of %zu bytes to rank %u; at most %d are possible", size, to, INT_MAX);
		return error->status;
	}
	struct outgoing *message = malloc(sizeof *message + size);
	if (message == NULL)
		return no_memory(error, "a message to another rank");
	memcpy(message->bytes, bytes, size);
	const int code =
		MPI_Isend(message->bytes, (int)size, MPI_BYTE, (int)to, TAG, MPI_COMM_WORLD, &message->request);
	if (code != MPI_SUCCESS) {
		free(message);
		return trouble(code, "send", error);
	}
	message->next = self->outgoing;
	self->outgoing = message;
	return AI8X_OK;
}

static ai8x_status receive_message(ai8x_cluster *cluster, unsigned *from, const void **bytes, size_t *size,
                                   ai8x_error *error)
{
	struct mpi_cluster *self = (struct mpi_cluster *)cluster;
	MPI_Message message;
	MPI_Status about;
	int there = 0, count = 0;
	forget_sent(self);
	int code = MPI_Improbe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &message, &about);
	if (code != MPI_SUCCESS)
		return trouble(code, "look for messages", error);
	if (!there)
		return AI8X_WAITING;
	(void)MPI_Get_count(&about, MPI_BYTE, &count);
	if ((size_t)count > self->room) {
		void *buffer = realloc(self->buffer, (size_t)count);
		if (buffer == NULL)
			return no_memory(error, "a message from another rank");
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

ai8x_status mpi_module_open(ai8x_cluster **cluster, ai8x_error *error)
{
	*cluster = NULL;
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
		return no_memory(error, "a cluster");
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

// Ranks wait here until rank 0 knows that all can end. Open MPI's mpirun may crash or hang when it is told to abort
// while some are in MPI_Finalize() already.
static void agree_to_end(const ai8x_cluster *cluster)
{
	const struct timespec pause = {.tv_nsec = END_PAUSE_NS};
	int told = 0;
	for (unsigned rank = 1; cluster->rank == 0 && rank < cluster->size; rank++)
		(void)MPI_Send(NULL, 0, MPI_BYTE, (int)rank, TAG_END, MPI_COMM_WORLD);
	while (cluster->rank != 0 && !told) {
		if (MPI_Iprobe(0, TAG_END, MPI_COMM_WORLD, &told, MPI_STATUS_IGNORE) != MPI_SUCCESS)
			return;
		if (!told)
			(void)nanosleep(&pause, NULL);
	}
	if (told)
		(void)MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_END, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void mpi_module_close(ai8x_cluster *cluster, int exit_status)
{
	struct mpi_cluster *self = (struct mpi_cluster *)cluster;
	// Who is silent takes no messages, and MPI_Finalize() waits for everybody.
	if (cluster->silent > 0)
		(void)MPI_Abort(MPI_COMM_WORLD, exit_status);
	while (self->outgoing != NULL) {
		struct outgoing *message = self->outgoing;
		self->outgoing = message->next;
		(void)MPI_Wait(&message->request, MPI_STATUS_IGNORE);
		free(message);
	}
	agree_to_end(cluster);
	free(self->buffer);
	free(self);
	(void)MPI_Finalize();
}
