# BLAKE3::blake3: the BLAKE3 team's C implementation. Newer distributions package it (libblake3-dev);
# Debian 12 ships the same sources, with their SIMD code, in librust-blake3-dev: those are built then.
find_library(BLAKE3_LIBRARY blake3)
find_path(BLAKE3_INCLUDE_DIR blake3.h)
if(BLAKE3_LIBRARY AND BLAKE3_INCLUDE_DIR)
  add_library(BLAKE3::blake3 UNKNOWN IMPORTED)
  set_target_properties(BLAKE3::blake3 PROPERTIES IMPORTED_LOCATION ${BLAKE3_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BLAKE3_INCLUDE_DIR})
  set(BLAKE3_FOUND TRUE)
  return()
endif()

file(GLOB blake3_dirs /usr/share/cargo/registry/blake3-*/c)
if(NOT blake3_dirs)
  message(FATAL_ERROR "BLAKE3 is missing: install libblake3-dev, or librust-blake3-dev on Debian 12")
endif()
list(GET blake3_dirs 0 blake3_dir)
add_library(rhizome-blake3 STATIC ${blake3_dir}/blake3.c ${blake3_dir}/blake3_dispatch.c
  ${blake3_dir}/blake3_portable.c)
target_include_directories(rhizome-blake3 SYSTEM PUBLIC ${blake3_dir})
target_compile_options(rhizome-blake3 PRIVATE -w)
# Built from its sources, it also has its function for many inputs at once.
target_compile_definitions(rhizome-blake3 INTERFACE RHIZOME_BLAKE3_HASH_MANY)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  enable_language(ASM)
  foreach(isa IN ITEMS sse2 sse41 avx2 avx512)
    target_sources(rhizome-blake3 PRIVATE ${blake3_dir}/blake3_${isa}_x86-64_unix.S)
  endforeach()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_sources(rhizome-blake3 PRIVATE ${blake3_dir}/blake3_neon.c)
endif()
add_library(BLAKE3::blake3 ALIAS rhizome-blake3)
set(BLAKE3_FOUND TRUE)
