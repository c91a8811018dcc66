import { valuedFlags, type Node } from './tree.js';

/** Bash 3.2 and newer, with or without bash-completion. */
export function bashScript(tree: Node[]): string {
  return `# Completion of arkitect for bash: eval "$(arkitect completion bash)"
${posixTables(tree)}
_arkitect() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' expects='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $expects ]]; then
      # Bash takes "=" for a word of its own.
      [[ $word == '=' ]] && continue
      expects=''
    elif [[ $word == -* ]]; then
      _arkitect_takes_value "$path" "$word" && expects=$word
    elif _arkitect_words "\${path:+$path }$word" > /dev/null; then
      path="\${path:+$path }$word"
    fi
  done
  if [[ -n $expects ]]; then
    [[ $cur == '=' ]] && cur=''
    local values
    values=$(_arkitect_values "$path" "$expects")
    if [[ -n $values ]]; then
      COMPREPLY=($(compgen -W "$values" -- "$cur"))
    else
      COMPREPLY=($(compgen -f -- "$cur"))
    fi
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_arkitect_options "$path")" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$(_arkitect_words "$path")" -- "$cur"))
  fi
}
complete -F _arkitect arkitect
`;
}

/** Functions that bash and zsh read alike: what may follow a command, and what an option takes. */
export function posixTables(tree: Node[]): string {
  const cases = (arm: (node: Node) => string) => tree.map(arm).join('\n');
  const flags = valuedFlags(tree);
  const names = ({ long, short }: { long: string; short?: string | undefined }) => [long, ...(short ? [short] : [])];
  const arms = (wanted: typeof flags, action: (item: (typeof flags)[number]) => string) =>
    wanted
      .map(
        (item) =>
          `    ${names(item.flag)
            .map((name) => quote(`${item.path}:${name}`))
            .join(' | ')}) ${action(item)} ;;`,
      )
      .join('\n');
  return `# Commands below a command; fails for what is no command.
_arkitect_words() {
  case $1 in
${cases(({ path, words }) => `    ${quote(path)}) echo ${quote(words.map(({ text }) => text).join(' '))} ;;`)}
    *) return 1 ;;
  esac
}
_arkitect_options() {
  case $1 in
${cases(({ path, options }) => `    ${quote(path)}) echo ${quote(options.flatMap(names).join(' '))} ;;`)}
  esac
}
_arkitect_takes_value() {
  case "$1:$2" in
${arms(flags, () => 'return 0')}
    *) return 1 ;;
  esac
}
_arkitect_values() {
  case "$1:$2" in
${arms(
  flags.filter(({ flag }) => flag.values.length),
  ({ flag }) => `echo ${quote(flag.values.join(' '))}`,
)}
  esac
}`;
}

/** As one word of a shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
