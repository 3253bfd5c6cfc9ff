# One folder, one target, one include root: a folder sees only the folders that its target links to,
# so that a wrong include between layers does not compile.
#
#   rhizome_folder(NAME [SOURCES ...] [LINK target ...] [PRIVATE_LINK target ...])
#
# makes the static library `rhizome-NAME` of the current folder, whose headers others include as
# "NAME/header.hpp" once they link to it. Tests: rhizome_test(NAME SOURCES ... LINK ...).
function(rhizome_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include-roots/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(rhizome-${name} STATIC ${ARG_SOURCES})
    target_include_directories(rhizome-${name} PUBLIC ${root})
    target_link_libraries(rhizome-${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  else()
    add_library(rhizome-${name} INTERFACE)
    target_include_directories(rhizome-${name} INTERFACE ${root})
    target_link_libraries(rhizome-${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

#   rhizome_test(NAME SOURCES ... [LINK target ...] [LABELS ...] [TIMEOUT seconds])
# A GoogleTest executable whose ctest name is NAME; one ctest entry an executable keeps ctest quick.
# A test of the label `soak` has ctest's own timeout, which ./run soak makes longer.
function(rhizome_test name)
  if(NOT RHIZOME_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS;ARGS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(RHIZOME_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")
  endif()
  set(timeout TIMEOUT ${ARG_TIMEOUT})
  if("soak" IN_LIST ARG_LABELS)
    set(timeout)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES ${timeout} LABELS "${ARG_LABELS}"
    ENVIRONMENT "RHIZOME_BUILD_DIR=${CMAKE_BINARY_DIR};RHIZOME_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endfunction()

#   rhizome_fuzzer(NAME SOURCES ... [LINK target ...])    libFuzzer target, built with RHIZOME_FUZZ
function(rhizome_fuzzer name)
  if(NOT RHIZOME_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

#   rhizome_bench(NAME SOURCES ... [LINK target ...])     Google Benchmark executable, RHIZOME_BENCH
function(rhizome_bench name)
  if(NOT RHIZOME_BENCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  find_package(benchmark REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} benchmark::benchmark)
endfunction()
