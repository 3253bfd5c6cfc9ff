# The compiler settings that every target shares: C++20, warnings as errors, ccache, lld, sanitizers.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(RHIZOME_SANITIZE "" CACHE STRING "comma-separated sanitizers: address,undefined or thread")

find_program(RHIZOME_CCACHE ccache)
if(RHIZOME_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${RHIZOME_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RHIZOME_CCACHE})
endif()

set_property(DIRECTORY PROPERTY COMPILE_OPTIONS
  -Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Werror -fno-omit-frame-pointer)

# g++ 12 warns of an impossible overlap in "literal" + std::string (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

if(RHIZOME_SANITIZE)
  add_compile_options(-fsanitize=${RHIZOME_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RHIZOME_SANITIZE})
  # clang's checks of function and dynamic types compare type infos by address, and a plugin with
  # hidden symbols has its own copies.
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND RHIZOME_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize=function,vptr)
  endif()
endif()

# Every object reports its coverage to libFuzzer, not the fuzz targets' own files alone.
if(RHIZOME_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
