# find_package(Rhizome): Rhizome::sdk (headers, for plugins) and rhizome_add_plugin(); installed
# (PREFIX/lib/cmake/Rhizome) also Rhizome::delta and Rhizome::client (static libraries, for
# applications). Straight from a source tree (sdk/cmake) it works for plugins.
get_filename_component(rhizome_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../include/rhizome/abi.h)
  get_filename_component(rhizome_prefix ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
endif()

if(NOT TARGET Rhizome::sdk)
  add_library(Rhizome::sdk INTERFACE IMPORTED)
  target_include_directories(Rhizome::sdk INTERFACE ${rhizome_prefix}/include)
  get_property(rhizome_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(CXX IN_LIST rhizome_languages)
    target_compile_features(Rhizome::sdk INTERFACE cxx_std_20)
  endif()
endif()

if(NOT TARGET Rhizome::client AND EXISTS ${rhizome_prefix}/lib/librhizome-client.a)
  add_library(Rhizome::client STATIC IMPORTED)
  set_target_properties(Rhizome::client PROPERTIES
    IMPORTED_LOCATION ${rhizome_prefix}/lib/librhizome-client.a
    INTERFACE_LINK_LIBRARIES Rhizome::sdk)
endif()

# The delta library brings libsodium, simdjson and BLAKE3 with it: BLAKE3 as an archive beside it where
# Rhizome built it from source, else the system's.
if(NOT TARGET Rhizome::delta AND EXISTS ${rhizome_prefix}/lib/librhizome-delta.a)
  find_library(RHIZOME_SODIUM sodium)
  find_library(RHIZOME_SIMDJSON simdjson)
  find_library(RHIZOME_BLAKE3 NAMES rhizome-blake3 blake3 HINTS ${rhizome_prefix}/lib)
  if(RHIZOME_SODIUM AND RHIZOME_SIMDJSON AND RHIZOME_BLAKE3)
    add_library(Rhizome::delta STATIC IMPORTED)
    set_target_properties(Rhizome::delta PROPERTIES
      IMPORTED_LOCATION ${rhizome_prefix}/lib/librhizome-delta.a INTERFACE_LINK_LIBRARIES
      "Rhizome::sdk;${RHIZOME_BLAKE3};${RHIZOME_SODIUM};${RHIZOME_SIMDJSON}")
  endif()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/RhizomePlugin.cmake)

# rhizome_add_conformance_test(PLUGIN KIND [NAME test] [ARGUMENT ...]): the installed suite of a kind
# (store, transport, filter, resolver) against a plugin, as the test conformance_PLUGIN or as the one
# that NAME says: each further run of a plugin, with another config, has a NAME of its own. The
# arguments are the suite's; `libexec/rhizome/rhizome-KIND-conformance --help` lists them.
set(RHIZOME_LIBEXEC_DIR ${rhizome_prefix}/libexec/rhizome)
function(rhizome_add_conformance_test plugin kind)
  set(suite ${RHIZOME_LIBEXEC_DIR}/rhizome-${kind}-conformance)
  if(NOT EXISTS ${suite})
    message(FATAL_ERROR "rhizome_add_conformance_test(${plugin}): expected the suite ${suite}, found none; install the SDK of a tree that was built with its tests")
  endif()
  # By position and without lists, which would part a JSON argument at its semicolons.
  set(name conformance_${plugin})
  set(first 2)
  if(ARGC GREATER 3 AND "${ARGV2}" STREQUAL NAME)
    set(name ${ARGV3})
    set(first 4)
  endif()
  if(TEST ${name})
    message(FATAL_ERROR "rhizome_add_conformance_test(${plugin}): there is a test ${name} already; give this one another name: rhizome_add_conformance_test(${plugin} ${kind} NAME ... )")
  endif()
  set(arguments)
  math(EXPR last "${ARGC} - 1")
  if(last GREATER_EQUAL first)
    foreach(i RANGE ${first} ${last})
      string(APPEND arguments " [==[${ARGV${i}}]==]")
    endforeach()
  endif()
  cmake_language(EVAL CODE
    "add_test(NAME [==[${name}]==] COMMAND [==[${suite}]==] $<TARGET_FILE:${plugin}> ${arguments})")
endfunction()

# find_package(Rhizome COMPONENTS sdk delta client)
foreach(component IN LISTS Rhizome_FIND_COMPONENTS)
  if(NOT TARGET Rhizome::${component} AND Rhizome_FIND_REQUIRED_${component})
    set(Rhizome_FOUND FALSE)
    set(Rhizome_NOT_FOUND_MESSAGE "Rhizome::${component} is missing: install Rhizome whole; delta needs libsodium-dev and libsimdjson-dev too")
  endif()
endforeach()
