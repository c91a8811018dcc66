import { posixTables, quote } from './bash.js';
import type { Node } from './tree.js';

/** A file _arkitect in a directory of fpath, or evaluated after compinit. */
export function zshScript(tree: Node[]): string {
  return `#compdef arkitect arkitect.mjs
# Completion of arkitect for zsh: put it into a directory of $fpath as _arkitect.
# Zsh looks behind an alias, so the launcher is named, too.
${posixTables(tree)}
_arkitect_described() {
  case $1 in
${tree
  .filter(({ words }) => words.length)
  .map(({ path, words }) => `    ${quote(path)}) reply=(${words.map(({ text, summary }) => quote(`${text}:${summary}`)).join(' ')}) ;;`)
  .join('\n')}
    *) reply=() ;;
  esac
}
_arkitect() {
  local command_path='' expects='' word
  local -a reply values
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $expects ]]; then
      expects=''
    elif [[ $word == -* ]]; then
      _arkitect_takes_value "$command_path" "$word" && expects=$word
    elif _arkitect_words "\${command_path:+$command_path }$word" > /dev/null; then
      command_path="\${command_path:+$command_path }$word"
    fi
  done
  if [[ -n $expects ]]; then
    values=(\${=$(_arkitect_values "$command_path" "$expects")})
    if (( \${#values} )); then compadd -a values; else _files; fi
  elif [[ \${words[CURRENT]} == -* ]]; then
    values=(\${=$(_arkitect_options "$command_path")})
    compadd -a values
  else
    _arkitect_described "$command_path"
    (( \${#reply} )) && _describe command reply
  fi
}
if [[ $funcstack[1] == _arkitect ]]; then _arkitect "$@"; else compdef _arkitect arkitect arkitect.mjs; fi
`;
}
