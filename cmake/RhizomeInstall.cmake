# What `cmake --install` puts where. Component `sdk`: headers, librhizome-delta, librhizome-client
# (static and shared), the CMake package and pkg-config files, the documents. Component `node`: the executable and its plugins. The
# plugin directory is beside bin, whatever the prefix: the executable finds it from there.
include(CMakePackageConfigHelpers)
set(sdk_cmake ${CMAKE_SOURCE_DIR}/sdk/cmake)
set(package lib/cmake/Rhizome)

install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/include/rhizome DESTINATION include COMPONENT sdk
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
foreach(library IN ITEMS rhizome-delta rhizome-blake3 rhizome-client)
  if(TARGET ${library})
    install(TARGETS ${library} ARCHIVE DESTINATION lib COMPONENT sdk)
  endif()
endforeach()

if(TARGET rhizome-client-shared)
  install(TARGETS rhizome-client-shared LIBRARY DESTINATION lib COMPONENT sdk)
endif()

# The documents, beside each other as in the source tree, so that their links lead somewhere.
set(doc share/doc/rhizome)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_SOURCE_DIR}/LICENSE
  DESTINATION ${doc} COMPONENT sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION ${doc} COMPONENT sdk FILES_MATCHING PATTERN "*.md")
install(FILES ${CMAKE_SOURCE_DIR}/sdk/README.md DESTINATION ${doc}/sdk COMPONENT sdk)
install(FILES ${CMAKE_SOURCE_DIR}/sdk/abi/POLICY.md DESTINATION ${doc}/sdk/abi COMPONENT sdk)

# The conformance kits as programs, the JSON-Logic language that the filter kit compares with, and
# samples to begin from. The kits are built with the tests.
foreach(kind IN ITEMS store transport filter resolver)
  if(TARGET rhizome-${kind}-conformance)
    install(TARGETS rhizome-${kind}-conformance RUNTIME DESTINATION libexec/rhizome COMPONENT sdk)
  endif()
endforeach()
if(TARGET rhizome-filter-conformance AND TARGET jsonlogic)
  install(TARGETS jsonlogic LIBRARY DESTINATION libexec/rhizome COMPONENT sdk)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/samples/out_of_tree_store ${CMAKE_SOURCE_DIR}/samples/filter_terms
  DESTINATION share/rhizome/samples COMPONENT sdk)

write_basic_package_version_file(${CMAKE_BINARY_DIR}/RhizomeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${sdk_cmake}/RhizomeConfig.cmake ${CMAKE_BINARY_DIR}/RhizomeConfigVersion.cmake
  ${sdk_cmake}/RhizomePlugin.cmake ${sdk_cmake}/plugin.map DESTINATION ${package} COMPONENT sdk)

set(RHIZOME_BLAKE3_LIBS -lblake3)
if(TARGET rhizome-blake3)
  set(RHIZOME_BLAKE3_LIBS -lrhizome-blake3)
endif()
foreach(name IN ITEMS rhizome rhizome-delta rhizome-client)
  configure_file(${sdk_cmake}/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION lib/pkgconfig COMPONENT sdk)
endforeach()

if(TARGET rhizome)
  install(TARGETS rhizome RUNTIME DESTINATION bin COMPONENT node)
endif()
get_property(plugins GLOBAL PROPERTY RHIZOME_PLUGINS)
if(plugins)
  install(TARGETS ${plugins} LIBRARY DESTINATION lib/rhizome/plugins COMPONENT node)
endif()
