# bpf_object(TARGET SOURCE): compiles a BPF program and makes an interface library whose include
# path holds its skeleton, NAME.skel.h for NAME.bpf.c.
find_program(HF_CLANG NAMES clang-14 clang REQUIRED)
find_program(HF_BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)

function(bpf_object target source)
    get_filename_component(name ${source} NAME)
    string(REGEX REPLACE "\\.bpf\\.c$" "" name ${name})
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
    set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
    add_custom_command(
        OUTPUT ${object}
        COMMAND ${HF_CLANG} -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror
                -I${PROJECT_SOURCE_DIR} -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
                -MD -MT ${object} -MF ${object}.d
                -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
        DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
        DEPFILE ${object}.d
        COMMENT "BPF object ${name}.bpf.o"
        VERBATIM)
    add_custom_command(
        OUTPUT ${skeleton}
        COMMAND ${HF_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
        DEPENDS ${object}
        COMMENT "BPF skeleton ${name}.skel.h"
        VERBATIM)
    add_custom_target(${target}_skeleton DEPENDS ${skeleton})
    add_library(${target} INTERFACE)
    add_dependencies(${target} ${target}_skeleton)
    target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(${target} INTERFACE PkgConfig::BPF)
endfunction()
