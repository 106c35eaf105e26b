# What the rooms are built with: warnings, sanitizers, the precompiled headers, and meshai_room().

find_program(MESHAI_CCACHE ccache)
if(MESHAI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need this sloppiness to be cached at all (ccache manual, "Precompiled headers").
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MESHAI_CCACHE})
endif()

function(meshai_flags)
  add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
                      -Wno-missing-field-initializers)  # designated initializers leave the rest at their defaults
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # -fpch-preprocess lets ccache see through the precompiled header. g++-14 takes the frames of Asio's coroutines for
    # mismatched allocations, and small strings for overruns: neither is there.
    add_compile_options(-fpch-preprocess -Wno-mismatched-new-delete -Wno-array-bounds -Wno-stringop-overflow
                        -Wno-stringop-overread -Wno-restrict)
  endif()
  # One definition of Asio for the whole program: cmake/asio.cpp.
  add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_DISABLE_VISIBILITY)
  find_program(MESHAI_MOLD mold)
  if(MESHAI_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
  if(MESHAI_SANITIZE STREQUAL address)
    # g++-14 with UBSan sees a stringop-overflow inside Boost.JSON that is not there.
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
                        -Wno-stringop-overflow -Wno-maybe-uninitialized)
    add_link_options(-fsanitize=address,undefined)
  elseif(MESHAI_SANITIZE STREQUAL thread)
    # Asio fences with atomic_thread_fence, which TSan does not model and g++ warns of.
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
    add_link_options(-fsanitize=thread)
  elseif(MESHAI_SANITIZE)
    message(FATAL_ERROR "MESHAI_SANITIZE is \"address\", \"thread\" or empty, not \"${MESHAI_SANITIZE}\"")
  endif()
  if(MESHAI_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
    add_link_options(-fsanitize=address,undefined)
  endif()
endfunction()

# meshai_room(NAME [DEPS rooms...] [LIBS targets...])
# src/NAME/*.cpp but main.cpp and *_test.cpp become the library meshai_NAME; *_test.cpp the test binary unit_NAME.
function(meshai_room name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM arg_DEPS PREPEND meshai_)
  if(sources)
    add_library(meshai_${name} STATIC ${sources})
    target_include_directories(meshai_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(meshai_${name} PUBLIC ${arg_DEPS} ${arg_LIBS})
    meshai_precompile(meshai_${name})
  else()
    add_library(meshai_${name} INTERFACE)
    target_include_directories(meshai_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(meshai_${name} INTERFACE ${arg_DEPS} ${arg_LIBS})
  endif()
  if(MESHAI_TESTS AND tests)
    add_executable(unit_${name} ${tests})
    target_link_libraries(unit_${name} PRIVATE meshai_${name} GTest::gmock GTest::gtest_main)
    if(TARGET meshai_sim AND NOT name STREQUAL sim)
      target_link_libraries(unit_${name} PRIVATE meshai_sim)
    elseif(NOT name MATCHES "^(base|env|wire|chat|care|route|os|sim)$")
      target_link_libraries(unit_${name} PRIVATE meshai_sim)
    endif()
    meshai_precompile(unit_${name})
    add_test(NAME unit_${name} COMMAND unit_${name})
    set_tests_properties(unit_${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()

# meshai_bytes(NAME FILE FUNCTION): the bytes of FILE become part of the library meshai_NAME, as what
# meshai::NAME::FUNCTION gives.
function(meshai_bytes name file function)
  set(from ${CMAKE_SOURCE_DIR}/src/${name}/${file})
  set(to ${CMAKE_BINARY_DIR}/${name}_${function}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${from})
  file(READ ${from} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  file(CONFIGURE OUTPUT ${to} @ONLY CONTENT [[
#include "@name@/@function@.hpp"
namespace {
constexpr unsigned char bytes[] = {@bytes@};
}
std::span<const unsigned char> meshai::@name@::@function@() { return bytes; }
]])
  target_sources(meshai_${name} PRIVATE ${to})
  set_source_files_properties(${to} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# One precompiled header for all: the standard library and Asio's coroutines.
function(meshai_precompile target)
  if(NOT TARGET meshai_pch)
    add_library(meshai_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
    target_link_libraries(meshai_pch PUBLIC Boost::headers Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
    target_precompile_headers(meshai_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
  endif()
  target_link_libraries(${target} PUBLIC meshai_pch)
  if(NOT MESHAI_NO_PCH)
    target_precompile_headers(${target} REUSE_FROM meshai_pch)
  endif()
endfunction()
