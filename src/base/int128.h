/* 128-bit integers: ISO C does not have them, but every compiler that we support does. */
#pragma once

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;
