# cmake -DBROWSER=chrome -DROOT=… -DCORE=…/dotkey-core.wasm -DOUT=… -P stage_extension.cmake
# Puts together what a browser loads: what both share, the browser's own files, the core. A path
# that two of them bring is an error, and so are platform folders that differ in their files.
cmake_minimum_required(VERSION 3.25)

function(files_below folder out)
  file(GLOB_RECURSE found RELATIVE ${folder} LIST_DIRECTORIES false ${folder}/*)
  list(SORT found)
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

files_below(${ROOT}/extension-chrome/platform in_chrome)
files_below(${ROOT}/extension-firefox/platform in_firefox)
if(NOT in_chrome STREQUAL in_firefox)
  message(FATAL_ERROR "platform/ differs: chrome has ${in_chrome}, firefox has ${in_firefox}")
endif()

file(REMOVE_RECURSE ${OUT})
function(stage from)
  files_below(${from} files)
  foreach(file IN LISTS files)
    if(EXISTS ${OUT}/${file})
      message(FATAL_ERROR "${file} comes from ${from} and from somewhere else")
    endif()
    cmake_path(GET file PARENT_PATH folder)
    file(COPY ${from}/${file} DESTINATION ${OUT}/${folder})
  endforeach()
endfunction()

stage(${ROOT}/extension-common)
stage(${ROOT}/extension-${BROWSER})
if(EXISTS ${OUT}/core)
  message(FATAL_ERROR "core/ is the core's own")
endif()
set(core_files ${CORE} ${ROOT}/wasm/driver.mjs ${ROOT}/wasm/relays.mjs)
file(COPY ${core_files} DESTINATION ${OUT}/core FILE_PERMISSIONS
  OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
