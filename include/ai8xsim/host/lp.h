/**
 * @file lp.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_LP_H
#define AI8XSIM_HOST_LP_H

#include "mxc.h"

#endif
