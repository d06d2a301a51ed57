{{/* Names and labels. */}}

{{/* A name that an object of any kind may have, Services included: a label of RFC 1035, at most 40
     characters long, so that "-vertebrae" and a Job's hash still fit. What is one already stays; what
     had to be changed bears a hash of itself, so that two that differ stay two. Takes a text. */}}
{{- define "osteoserve.label" -}}
{{- $clean := regexReplaceAll "[^a-z0-9-]" (lower .) "-" | trimAll "-" }}
{{- if not (regexMatch "^[a-z]" $clean) }}{{ $clean = printf "r-%s" $clean | trimSuffix "-" }}{{ end }}
{{- if or (ne $clean .) (gt (len $clean) 40) }}
{{- $clean = printf "%s-%s" ($clean | trunc 31 | trimAll "-") (sha256sum . | trunc 8) }}
{{- end }}
{{- $clean }}
{{- end }}

{{- define "osteoserve.name" -}}
{{- include "osteoserve.label" (default .Chart.Name .Values.nameOverride) }}
{{- end }}

{{/* The release's prefix of every name. */}}
{{- define "osteoserve.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- include "osteoserve.label" .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- include "osteoserve.label" .Release.Name }}
{{- else }}
{{- include "osteoserve.label" (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- end }}

{{/* The same for what the whole cluster shares, where a release of the same name in another namespace
     makes one as well. Neither part has a dot, so no two pairs are the same. */}}
{{- define "osteoserve.clusterName" -}}
{{- printf "%s.%s" .Release.Namespace (include "osteoserve.fullname" .) }}
{{- end }}

{{/* Labels that select: they can never change. Takes (dict "root" $ "name" COMPONENT). */}}
{{- define "osteoserve.selector" -}}
app.kubernetes.io/name: {{ include "osteoserve.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "osteoserve.labels" -}}
{{ include "osteoserve.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: osteoserve
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* The components, the front first, with blanks between. */}}
{{- define "osteoserve.components" -}}
front {{ if include "osteoserve.gateway" . }}gateway {{ end }}{{ include "osteoserve.runners" . }}
{{- end }}

{{/* Whether there is a gateway: somebody may send. */}}
{{- define "osteoserve.gateway" -}}
{{- if .Values.gateway.peers }}true{{ end }}
{{- end }}

{{/* Those who ask the runners, with blanks between. */}}
{{- define "osteoserve.askers" -}}
front{{ if include "osteoserve.gateway" . }} gateway{{ end }}
{{- end }}

{{/* The runners: those that the values have. The schema takes no other and misses none. */}}
{{- define "osteoserve.runners" -}}
{{- keys .Values.runners | sortAlpha | join " " }}
{{- end }}

{{/* Every pod that the values make, the components' first, with blanks between. */}}
{{- define "osteoserve.pods" -}}
{{ include "osteoserve.components" . }} test
{{- if include "osteoserve.migrates" . }} migrate{{ end }}
{{- if include "osteoserve.retains" . }} retention{{ end }}
{{- if .Values.loadTest.enabled }} load{{ end }}
{{- end }}

{{/* Where a pod's own values stand. Takes its name. */}}
{{- define "osteoserve.path" -}}
{{- get (dict "front" "front" "gateway" "gateway" "test" "test" "migrate" "database.migration" "retention" "retention" "load" "loadTest") . | default (printf "runners.%s" .) }}
{{- end }}

{{/* What the values say of one pod alone, as YAML. Takes (dict "root" $ "name" POD). */}}
{{- define "osteoserve.own" -}}
{{- $values := .root.Values }}
{{- $own := dict "front" $values.front "gateway" $values.gateway "test" $values.test "migrate" $values.database.migration "retention" $values.retention "load" $values.loadTest }}
{{- hasKey $own .name | ternary (get $own .name) (get $values.runners .name) | default dict | toYaml }}
{{- end }}

{{/* Values of one pod over those that all share, as YAML. What runs in the front's image beside it
     goes where the front goes, unless its own say otherwise. Takes (dict "root" $ "name" POD). */}}
{{- define "osteoserve.component" -}}
{{- $merged := deepCopy .root.Values.common }}
{{- if has .name (list "test" "migrate" "retention") }}
{{- $merged = mergeOverwrite $merged (omit (deepCopy .root.Values.front) "resources" "scratch") }}
{{- end }}
{{- $merged = mergeOverwrite $merged (include "osteoserve.own" . | fromYaml) }}
{{- /* What it holds is in the database, and a scanner's association stays with the pod that it has. */}}
{{- if eq .name "gateway" }}{{ $_ := set $merged "autoscaling" (dict "kind" "none") }}{{ end }}
{{- toYaml $merged }}
{{- end }}

{{/* Where a pod has a value from, as it is written in the values. Takes (dict "root" $ "name" POD "key" KEY). */}}
{{- define "osteoserve.whence" -}}
{{- if get (include "osteoserve.own" . | fromYaml) .key }}{{ include "osteoserve.path" .name }}
{{- else if and (has .name (list "test" "migrate" "retention")) (get .root.Values.front .key) }}front
{{- else }}common
{{- end }}.{{ .key }}
{{- end }}

{{/* Components whose settings name a collector of spans, with blanks between; nothing: no tracing. */}}
{{- define "osteoserve.traced" -}}
{{- $found := list }}
{{- range $name := splitList " " (include "osteoserve.components" .) }}
{{- $values := include "osteoserve.component" (dict "root" $ "name" $name) | fromYaml }}
{{- if get ($values.settings | default dict) "OSTEOSERVE_TRACING_ENDPOINT" }}
{{- $found = append $found $name }}
{{- end }}
{{- end }}
{{- join " " $found }}
{{- end }}

{{/* Whether results lie in SQLite: no URL of a PostgreSQL was given. */}}
{{- define "osteoserve.sqlite" -}}
{{- if not .Values.database.existingSecret }}true{{ end }}
{{- end }}

{{/* Whether a Job brings the schema up to date before an installation or upgrade. */}}
{{- define "osteoserve.migrates" -}}
{{- if and (not (include "osteoserve.sqlite" .)) .Values.database.migration.enabled }}true{{ end }}
{{- end }}

{{/* Whether a CronJob lets go of what has been kept long enough. */}}
{{- define "osteoserve.retains" -}}
{{- if and (not (include "osteoserve.sqlite" .)) .Values.retention.policy }}true{{ end }}
{{- end }}

{{/* Takes (dict "root" $ "image" MERGED). A digest wins over a tag; the tag is the chart's app version. */}}
{{- define "osteoserve.image" -}}
{{- $global := .root.Values.global | default dict }}
{{- $registry := .image.registry | default $global.imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* A setting as text: a number must not become 3.3554432e+07. */}}
{{- define "osteoserve.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end }}
{{- end }}

{{/* Names that requests may have in Host, beside any address: the Service's, those of the way in, and
     what the values say. Takes MERGED values of the front as .values, the root as .root. */}}
{{- define "osteoserve.hosts" -}}
{{- $service := printf "%s-front" (include "osteoserve.fullname" .root) }}
{{- $inside := printf "%s.%s" $service .root.Release.Namespace }}
{{- $names := list $service $inside (printf "%s.svc" $inside) (printf "%s.svc.cluster.local" $inside) }}
{{- with .root.Values.ingress }}
{{- if and .enabled .host }}{{ $names = append $names .host }}{{ end }}
{{- end }}
{{- with .root.Values.httpRoute }}
{{- if .enabled }}{{ $names = concat $names (.hostnames | default list) }}{{ end }}
{{- end }}
{{- with get (.values.settings | default dict) "OSTEOSERVE_HOSTS" }}
{{- $names = concat $names (splitList "," .) }}
{{- end }}
{{- range $index, $name := $names | uniq }}{{ if $index }},{{ end }}{{ trim $name }}{{ end }}
{{- end }}

{{/* The path of the host below which people find the front, as its public URL says: / without one. */}}
{{- define "osteoserve.subPath" -}}
{{- $front := include "osteoserve.component" (dict "root" . "name" "front") | fromYaml }}
{{- $url := get ($front.settings | default dict) "OSTEOSERVE_PUBLIC_URL" | default "" }}
{{- (urlParse $url).path | trimSuffix "/" | default "/" }}
{{- end }}

{{/* The gateway's peers and destinations as the TOML that it reads: of texts, numbers, truths and lists
     of them JSON is TOML. */}}
{{- define "osteoserve.peers" -}}
{{- $tables := dict "peer" $.Values.gateway.peers "destination" $.Values.gateway.destinations "feed" $.Values.gateway.feeds "rule" $.Values.gateway.rules "archive" $.Values.gateway.archives "worklist" $.Values.gateway.worklists }}
{{- range $table := list "peer" "destination" "feed" "rule" "archive" "worklist" }}
{{- range get $tables $table }}
[[{{ $table }}]]
{{- range $key, $value := . }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{ end }}
{{- end }}
{{- end }}

{{/* Ports of the gateway's destinations and of whom it asks, as YAML: those that are named, and those
     of URLs. */}}
{{- define "osteoserve.destinationPorts" -}}
{{- $ports := list }}
{{- range concat .Values.gateway.destinations .Values.gateway.archives .Values.gateway.worklists }}
{{- with .port }}{{ $ports = append $ports (int .) }}{{ end }}
{{- range compact (list .base .token_url) }}
{{- $url := urlParse . }}
{{- $named := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $ports = append $ports (int (default (eq $url.scheme "http" | ternary "80" "443") $named)) }}
{{- end }}
{{- end }}
{{- /* And where peers hear what is committed to. */}}
{{- range .Values.gateway.peers }}
{{- with .report_port }}{{ $ports = append $ports (int .) }}{{ end }}
{{- end }}
{{- $ports | uniq | toYaml }}
{{- end }}

{{/* The metric that says what a component has in its hands: the front requests, a runner images, of
     which a call brings several. */}}
{{- define "osteoserve.inFlight" -}}
{{- eq . "front" | ternary "osteoserve_http_requests_in_flight" "osteoserve_runner_images_in_flight" }}
{{- end }}

{{/* Roles by group as the front takes them; takes auth.oidc. */}}
{{- define "osteoserve.oidcRoles" -}}
{{- $roles := deepCopy (.groups | default dict) }}
{{- range .administrators }}
{{- $_ := set $roles . (append (get $roles . | default list) "administrator" | uniq) }}
{{- end }}
{{- toJson $roles }}
{{- end }}

{{/* Keys of encrypted columns, for each pod that opens the database. Takes what "osteoserve.pod" does. */}}
{{- define "osteoserve.columnKeys" }}
{{- $encryption := .root.Values.database.encryption }}
{{- if and $encryption.existingSecret (has .name (list "front" "gateway" "migrate" "retention")) }}
env:
  - name: OSTEOSERVE_COLUMN_KEYS
    value: /etc/osteoserve/columns/column-keys
  - name: OSTEOSERVE_COLUMN_ENCRYPTION
    value: {{ $encryption.enabled | quote }}
volumes:
  - name: column-keys
    secret:
      secretName: {{ $encryption.existingSecret | quote }}
      # For its own group alone, as fsGroup has it.
      defaultMode: 0440
      items:
        - key: {{ $encryption.key | quote }}
          path: column-keys
volumeMounts:
  - name: column-keys
    mountPath: /etc/osteoserve/columns
    readOnly: true
{{- end }}
{{- end }}
