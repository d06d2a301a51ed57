{{/* The one template of every pod: front, runners, hooks and load test. Nothing that a cluster may ask
     of a pod (where it runs, what it may take, what it trusts) is said anywhere else.
     Takes (dict "root" $ "name" POD "own" OWN). OWN is what this pod alone has: `labels`, `pod`, fields
     of its spec, `container`, fields of its one container, `volumes`, and `read`, a text that it reads
     once as it does its settings. */}}
{{- define "osteoserve.pod" -}}
{{- $root := .root }}
{{- $own := .own }}
{{- $values := include "osteoserve.component" . | fromYaml }}
{{- $context := dict "root" $root "name" .name "values" $values }}
{{- $container := $own.container }}
{{- $trust := include "osteoserve.trust" $values | fromYaml }}
{{- $columns := include "osteoserve.columnKeys" . | fromYaml }}
{{- range $part := list "env" "volumes" "volumeMounts" }}
{{- $_ := set $trust $part (concat (get $trust $part | default list) (get $columns $part | default list)) }}
{{- end }}
{{- include "osteoserve.check.extras" (dict "root" $root "name" .name "own" $own "trust" $trust "values" $values) }}
metadata:
  labels:
    {{- include "osteoserve.labels" . | nindent 4 }}
    {{- with $own.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Pods read their settings once, so another configuration means other pods.
    checksum/config: {{ printf "%s%s" (toJson ($values.settings | default dict)) ($own.read | default "") | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "osteoserve.fullname" $root }}-{{ .name }}
  {{- include "osteoserve.podSecurity" $root | nindent 2 }}
  {{- include "osteoserve.scheduling" $context | nindent 2 }}
  {{- with $values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.pod }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "osteoserve.image" (dict "root" $root "image" $values.image) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- with omit $container "envFrom" "env" "volumeMounts" }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- /* Of two sources the later one wins, and the chart's settings are not to be overridden in silence. */}}
      {{- with concat ($values.extraEnvFrom | default list) ($container.envFrom | default list) }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with concat ($container.env | default list) ($trust.env | default list) ($values.extraEnv | default list) }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "osteoserve.containerSecurity" $root | nindent 6 }}
      {{- $resources := deepCopy ($values.resources | default dict) }}
      {{- with $values.gpu }}
      {{- $resources = mergeOverwrite $resources (dict "limits" (dict .resource .count)) }}
      {{- end }}
      resources:
        {{- toYaml $resources | nindent 8 }}
      volumeMounts:
        - name: scratch
          mountPath: /tmp
        {{- with concat ($container.volumeMounts | default list) ($trust.volumeMounts | default list) ($values.extraVolumeMounts | default list) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: scratch
      emptyDir:
        sizeLimit: {{ $values.scratch }}
    {{- with concat ($own.volumes | default list) ($trust.volumes | default list) ($values.extraVolumes | default list) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* What makes a pod trust a site's own certificate authority: each library that speaks TLS has a
     variable of its own for it. Takes MERGED values. */}}
{{- define "osteoserve.trust" -}}
{{- $authority := .certificateAuthority | default dict }}
{{- if or $authority.configMap $authority.secret }}
env:
  {{- /* Python's ssl, libpq, and requests, by which spans leave. */}}
  {{- range list "SSL_CERT_FILE" "PGSSLROOTCERT" "REQUESTS_CA_BUNDLE" }}
  - name: {{ . | quote }}
    value: /etc/osteoserve/trust/ca.crt
  {{- end }}
volumeMounts:
  - name: trust
    mountPath: /etc/osteoserve/trust
    readOnly: true
volumes:
  - name: trust
    {{- if $authority.configMap }}
    configMap:
      name: {{ $authority.configMap | quote }}
    {{- else }}
    secret:
      secretName: {{ $authority.secret | quote }}
    {{- end }}
      items:
        - key: {{ $authority.key | quote }}
          path: ca.crt
{{- end }}
{{- end }}

{{/* Takes the root. Restricted Pod Security; OpenShift wants the ids left out: set them to null. */}}
{{- define "osteoserve.podSecurity" -}}
automountServiceAccountToken: false
# A Service "osteoserve" would set OSTEOSERVE_PORT=tcp://…, which the front reads as its port.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- range $key := list "runAsUser" "runAsGroup" "fsGroup" }}
  {{- /* Helm takes a value that was set to null away; get would make 0, root, of it. */}}
  {{- with get $.Values.security $key }}
  {{ $key }}: {{ int64 . }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- $global := .Values.global | default dict }}
{{- with concat (.Values.imagePullSecrets | default list) ($global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "osteoserve.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Takes (dict "root" $ "name" COMPONENT "values" MERGED). */}}
{{- define "osteoserve.scheduling" -}}
{{- $selector := include "osteoserve.selector" . }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $priority := .values.priorityClassName }}
{{- /* The migration runs before anything of the release is there, the chart's own class included. */}}
{{- if and (not $priority) .root.Values.priorityClass.create (ne .name "migrate") }}
{{- $priority = include "osteoserve.clusterName" .root }}
{{- end }}
{{- with $priority }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- $spread := list }}
{{- range $key, $topology := dict "host" "kubernetes.io/hostname" "zone" "topology.kubernetes.io/zone" }}
{{- $when := get ($.values.topologySpread | default dict) $key }}
{{- if and $when (ne $when "none") }}
{{- $spread = append $spread (dict "topologyKey" $topology "whenUnsatisfiable" $when) }}
{{- end }}
{{- end }}
{{- with $spread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    maxSkew: 1
    # A rollout's new pods are spread among themselves, not against those that leave.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The pause between a pod's leaving the endpoints and its SIGTERM. Takes MERGED values. */}}
{{- define "osteoserve.preStop" -}}
lifecycle:
  preStop:
    sleep:
      seconds: {{ .preStopSeconds }}
{{- end }}

{{/* Three probes with three jobs: start has patience, ready is quick to doubt, live is slow to kill.
     Takes (dict "values" MERGED "startup" PATH "ready" PATH "live" PATH). */}}
{{- define "osteoserve.probes" -}}
startupProbe:
  httpGet: {path: {{ .startup }}, port: http}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: {{ divf .values.startupSeconds 2 | ceil | int }}
readinessProbe:
  httpGet: {path: {{ .ready }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
livenessProbe:
  httpGet: {path: {{ .live }}, port: http}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{/* Replicas are the autoscaler's where there is one. Takes MERGED values. */}}
{{- define "osteoserve.replicas" -}}
{{- if eq .autoscaling.kind "none" }}
replicas: {{ .replicas }}
{{- end }}
{{- end }}
