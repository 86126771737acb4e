/**
 * @file nvic_table.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_NVIC_TABLE_H
#define AI8XSIM_HOST_NVIC_TABLE_H

#include "mxc.h"

#endif
