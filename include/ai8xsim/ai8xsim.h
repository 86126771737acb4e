/**
 * @file ai8xsim.h
 * @brief Everything of libai8xsim.
 */
#ifndef AI8XSIM_AI8XSIM_H
#define AI8XSIM_AI8XSIM_H

#include "batch.h"
#include "check.h"
#include "cluster.h"
#include "eval.h"
#include "event.h"
#include "firmware.h"
#include "junit.h"
#include "layer.h"
#include "machine.h"
#include "network.h"
#include "part.h"
#include "program.h"
#include "runner.h"
#include "status.h"
#include "sweep.h"
#include "time.h"
#include "view.h"
#include <ai8xsim/version.h> // generated: not beside this file in a source tree

#endif
