# find_package(Rhizome): the headers (Rhizome::sdk) and rhizome_add_plugin. Works installed
# (PREFIX/lib/cmake/Rhizome) and straight from a source tree (sdk/cmake).
if(TARGET Rhizome::sdk)
  return()
endif()
get_filename_component(rhizome_include ${CMAKE_CURRENT_LIST_DIR}/../include ABSOLUTE)
if(NOT EXISTS ${rhizome_include}/rhizome/abi.h)
  get_filename_component(rhizome_include ${CMAKE_CURRENT_LIST_DIR}/../../../include ABSOLUTE)
endif()
add_library(Rhizome::sdk INTERFACE IMPORTED)
set_target_properties(Rhizome::sdk PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES ${rhizome_include}
  INTERFACE_COMPILE_FEATURES cxx_std_20)
include(${CMAKE_CURRENT_LIST_DIR}/RhizomePlugin.cmake)
