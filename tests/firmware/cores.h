// What the two cores of the image agree on.
#ifndef TEST_CORES_H
#define TEST_CORES_H

#include "board.h"

#define SEMAPHORES 0x4003E000u
#define CALL_FIRST (SEMAPHORES + 0x40)
#define MAIL_FIRST (SEMAPHORES + 0x44)
#define CALL_SECOND (SEMAPHORES + 0x48)
#define MAIL_SECOND (SEMAPHORES + 0x4C)
#define CALL_ENABLE (1u << 0)
#define CALL_RAISE (1u << 16)

#define GREETING 0x1234u   // to the second core
#define PASSED 0xC0DEu     // back; anything else is what went wrong
#define SHARED 0x2001F000u // a word that both see

#endif
