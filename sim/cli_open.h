// Opening what commands take that need no weights: a program, or a network description that is compiled.
#ifndef AI8XSIM_CLI_OPEN_H
#define AI8XSIM_CLI_OPEN_H

#include "cli.h"

// files: weights of a network, NULL: none. part: of networks and .mem files, NULL: the first part. compile: NULL for the defaults. *network is NULL for
// programs. Prints its own errors; returns an exit status.
int cli_open_any(const char *path, const ai8x_network_files *files, const ai8x_part *part,
                 const ai8x_compile_options *compile, ai8x_program **program, ai8x_network **network);

// true: the name is that of a network description.
bool cli_is_network(const char *path);

// The part to compile for: what was asked for, what the description names, or the first part.
const ai8x_part *cli_part_of(const ai8x_part *asked, const ai8x_network *network);

#endif
