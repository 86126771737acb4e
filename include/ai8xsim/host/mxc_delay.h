/**
 * @file mxc_delay.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_MXC_DELAY_H
#define AI8XSIM_HOST_MXC_DELAY_H

#include "mxc.h"

#endif
