/* 128-bit integers, which every compiler we support has and ISO C has not. */
#pragma once

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;
